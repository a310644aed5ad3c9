export { createIdoine, type IdoineOptions } from "./client.ts";
export type {
  Answer,
  Consent,
  ConsentStatus,
  Debug,
  Decision,
  Edit,
  Idoine,
  Mode,
  Op,
  Properties,
  Purpose,
  Receipt,
  Source,
  State,
  Visitor,
} from "./types.ts";
