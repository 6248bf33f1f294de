/** What we say that we are. */
export const userAgent = "kinora-rpc/0.1";
