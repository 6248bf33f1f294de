import { Role } from "@kinora/proto-user";
import { expect } from "vitest";
import { crowdSize, goodPassword, useCrowd } from "../testing/use-crowd.ts";

const crowd = useCrowd();
const { as, one, newEmail } = crowd;

crowd.race({
  "an invitation": {
    losers: ["InvalidArgument", "AlreadyExists", "ResourceExhausted"],
    async prepare() {
      const owner = await crowd.kinora.owner();
      const email = newEmail();
      await as(owner.accessToken).invitations.createInvitation({ email, role: Role.ADMIN });
      const { code: invitation } = await crowd.kinora.mailbox.next(email, /invited/);
      return {
        call: () => as().users.createUser({ email, name: "Racer", password: goodPassword, invitation }),
        async after() {
          expect(await one("select count(*) as n from users where email = $1 and role = 'admin'", email)).toBe(1);
          expect(await one("select count(*) as n from email_codes where email = $1", email)).toBe(0);
        },
      };
    },
  },
  "invitations of one address, of which the newest stays": {
    winners: { from: 1, to: crowdSize },
    losers: [],
    async prepare() {
      const owner = await crowd.kinora.owner();
      const email = newEmail();
      return {
        call: () => as(owner.accessToken).invitations.createInvitation({ email }),
        after: async () => expect(await one("select count(*) as n from email_codes where email = $1", email)).toBe(1),
      };
    },
  },
  "an invitation beside sign-ups of its address": {
    // Whoever signs up without it is told what everybody is told, as long as they are few.
    winners: { from: 1, to: crowdSize },
    losers: ["InvalidArgument", "AlreadyExists", "ResourceExhausted"],
    async prepare() {
      const owner = await crowd.kinora.owner();
      const email = newEmail();
      await as(owner.accessToken).invitations.createInvitation({ email });
      const { code: invitation } = await crowd.kinora.mailbox.next(email, /invited/);
      return {
        call: (racer) =>
          as().users.createUser({
            email,
            name: "Racer",
            password: goodPassword,
            ...(racer % 2 === 0 && { invitation }),
          }),
        after: async () => expect(await one("select count(*) as n from users where email = $1", email)).toBe(1),
      };
    },
  },
  "an invitation that is taken back as it is used": {
    // Whoever takes back what is gone is told so all the same.
    winners: { from: crowdSize / 2, to: crowdSize / 2 + 1 },
    losers: ["InvalidArgument", "ResourceExhausted", "AlreadyExists"],
    async prepare() {
      const owner = await crowd.kinora.owner();
      const email = newEmail();
      const { invitation: made } = await as(owner.accessToken).invitations.createInvitation({ email });
      const id = made?.id ?? "";
      const { code: invitation } = await crowd.kinora.mailbox.next(email, /invited/);
      return {
        call: (racer) =>
          racer % 2 === 0
            ? as().users.createUser({ email, name: "Racer", password: goodPassword, invitation })
            : as(owner.accessToken).invitations.deleteInvitation({ id }),
        async after() {
          const events = `select count(*) as n from audit_events
            where type = 'invitation.deleted' and details ->> 'invitation' = $1`;
          const accounts = await one("select count(*) as n from users where email = $1", email);
          expect(accounts + (await one(events, id))).toBe(1);
        },
      };
    },
  },
});
