/** Where the page finds its files. */
export const consoleFolder = "/console/";

/** The page's Content-Security-Policy: files and calls of its own origin, nothing inline, and no frame around it, in which somebody could be made to click. */
export const consolePolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** Sign-in, and the list of one's videos. All of it is made by scripts, from the templates here. */
export const consolePage = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>Kinora</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${consoleFolder}console.css">
<script src="${consoleFolder}main.js" type="module"></script>
<header>
  <h1>Kinora</h1>
  <p class="who" hidden><span></span> <button type="button" name="sign-out">Sign out</button></p>
</header>
<main>
  <p class="fault" role="alert" hidden></p>
  <form class="sign-in" hidden>
    <h2>Sign in</h2>
    <div class="step" data-step="password">
      <label>E-mail <input type="email" name="email" autocomplete="username" maxlength="254" required></label>
      <label>Password <input type="password" name="password" autocomplete="current-password" maxlength="1000" required></label>
      <p><button type="submit">Sign in</button> <button type="button" name="passkey" hidden>Use a passkey</button></p>
    </div>
    <div class="step" data-step="code" hidden>
      <label>Code of your authenticator app, or a recovery code <input name="code" autocomplete="one-time-code" spellcheck="false" maxlength="100"></label>
      <p><button type="submit">Go on</button> <button type="button" name="second-passkey" hidden>Use a passkey</button> <button type="button" name="back">Back</button></p>
    </div>
  </form>
  <section class="videos" aria-labelledby="videos" hidden>
    <h2 id="videos">Videos</h2>
    <div class="send">
      <p><button type="button" name="choose">Choose videos</button> <span>or drop them here</span></p>
      <input type="file" accept="video/*,.mkv,.mxf,.ts,.m2ts,.ogv" multiple hidden>
    </div>
    <p class="empty" hidden>There are no videos yet. Send one: it plays as soon as its beginning is encoded.</p>
    <ul></ul>
    <p><button type="button" name="more" hidden>Show older ones</button></p>
  </section>
  <p class="sr-only" role="status"></p>
  <noscript><p>This page takes JavaScript. Without it, <code>npx kinora encode FILE</code> sends a video.</p></noscript>
</main>
<template id="video">
  <li>
    <img alt="" width="112" height="63">
    <div>
      <a class="name"></a>
      <p class="state"></p>
      <progress max="1" hidden></progress>
      <p class="actions">
        <a class="play" hidden>Play</a>
        <button type="button" name="copy" hidden>Copy HLS address</button>
        <button type="button" name="resume" hidden>Go on sending…</button>
        <button type="button" name="encode" hidden>Encode</button>
        <button type="button" name="retry" hidden>Try again</button>
        <button type="button" name="cancel" hidden>Cancel</button>
        <button type="button" name="delete">Delete</button>
      </p>
    </div>
  </li>
</template>
</html>
`;
