/** A child that answers with what it was started with. */
import { answerParent, childParameters } from "../child.ts";

const parameters = await childParameters();
answerParent({ parameters: () => parameters });
