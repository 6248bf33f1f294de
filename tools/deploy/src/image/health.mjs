// The image's health check. Plain JavaScript that stands alone: it is copied as it is.
const { PORT, HEALTH_PATH } = process.env;
const answer = await fetch(`http://127.0.0.1:${PORT}${HEALTH_PATH}`, { signal: AbortSignal.timeout(4000) });
process.exit(answer.ok ? 0 : 1);
