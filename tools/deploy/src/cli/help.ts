export const help = `Which services have to go out, and whether they may.

  kinora-deploy plan [--env ENV] [--json]
      What is due in ENV (production if not given), and why.
  kinora-deploy image SERVICE [--engine docker|buildah] [--base IMAGE] [--tag NAME:TAG] [--push]
      Bundles SERVICE and builds its container image. What is pushed needs a base that is pinned by its digest.
  kinora-deploy pin-base [--engine docker|buildah] [--base IMAGE]
      Writes the digest that the base has in its registry now into deploy.json.
  kinora-deploy can-i-deploy SERVICE [--env ENV] [--live URL]... [--skip-behaviour] [--json]
      Whether the working tree's SERVICE gets along with what ENV runs.
  kinora-deploy record SERVICE [--env ENV] --health URL [--patience SECONDS] [--image NAME@DIGEST] [--rollback-to N]
      Waits until URL is healthy (120 seconds if not given), then notes that ENV runs it.
  kinora-deploy rollback SERVICE [--env ENV] [--to N] [--json]
      Whether an earlier version may go out again, and its image.
  kinora-deploy check [--env ENV] [--json]
      Whether all that ENV runs gets along: two deploys at once are each checked against what ran before.
  kinora-deploy history SERVICE [--env ENV] [--json]
      What ENV ran, newest first.

--records DIR (or DEPLOY_RECORDS): where the records are. Exit code: 0 yes, 1 no, 2 it couldn't be found out.
Services are the apps whose package.json has a "deploy" key. docs/deploying.md has the rest.
`;
