/** `node --import …`: the environments as somebody has them who put in their own addresses. */
import { environments } from "../../../deploy/environments.ts";

const own = {
  publicUrl: "https://video.test",
  storageUrl: "s3://kinora",
  mailFrom: "kinora@video.test",
  registry: "registry.test",
  gatewayNetworks: ["10.42.0.0/16"],
};
for (const environment of Object.values(environments)) Object.assign(environment, own);
