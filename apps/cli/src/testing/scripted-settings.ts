import { randomUUID } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { timestampNow } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type ConnectRouter } from "@connectrpc/connect";
import {
  type Profile,
  ProfileSchema,
  ProfileService,
  type Webhook,
  type WebhookDelivery,
  WebhookDeliverySchema,
  WebhookDeliveryState,
  WebhookSchema,
  WebhookService,
} from "@kinora/proto-encoder";
import type { ScriptedAccounts } from "./scripted-accounts.ts";

/** The profiles and webhooks of a scripted server, as far as commands use them. */
export function createSettings({ requireUser }: ScriptedAccounts): (router: ConnectRouter) => void {
  const profiles = new Map<string, Profile>();
  const webhooks = new Map<string, Webhook>();
  const deliveries: WebhookDelivery[] = [];
  return (router) => {
    router.service(ProfileService, {
      createProfile({ name, description, settings }, call) {
        requireUser(call);
        if (profiles.has(name)) throw new ConnectError("there is one", Code.AlreadyExists);
        const profile = create(ProfileSchema, { name, description, ...(settings && { settings }) });
        profiles.set(name, profile);
        return { profile };
      },
      updateProfile({ name, description, settings }) {
        const profile = create(ProfileSchema, { name, description, ...(settings && { settings }) });
        profiles.set(name, profile);
        return { profile };
      },
      listProfiles: () => ({ profiles: [...profiles.values()] }),
      deleteProfile({ name }) {
        profiles.delete(name);
        return {};
      },
    });
    router.service(WebhookService, {
      createWebhook({ url, description, events }, call) {
        requireUser(call);
        const webhook = create(WebhookSchema, { id: randomUUID(), url, description, events, enabled: true });
        webhooks.set(webhook.id, webhook);
        return { webhook, secret: "whsec_scripted" };
      },
      listWebhooks: () => ({ webhooks: [...webhooks.values()] }),
      testWebhook() {
        const delivery = create(WebhookDeliverySchema, {
          id: randomUUID(),
          type: "webhook.test",
          eventTime: timestampNow(),
          state: WebhookDeliveryState.SUCCEEDED,
          attempts: 1,
          lastStatus: 204,
        });
        deliveries.push(delivery);
        return { delivery };
      },
      listWebhookDeliveries: () => ({ deliveries }),
      deleteWebhook({ id }) {
        webhooks.delete(id);
        return {};
      },
    });
  };
}
