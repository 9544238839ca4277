// What a front-end developer writes with the generated types: openapi-typescript makes api.d.ts, openapi-fetch asks.
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

type StudyResult = components["schemas"]["StudyResult"];
type Entry = components["schemas"]["StudyResultPage"]["items"][number];

// Every answer is one of these two, CSV and NDJSON aside, which are for downloads.
type Media = "application/json" | "application/problem+json";

// An entry is whole unless `fields` was asked for.
const isWhole = (entry: Entry): entry is StudyResult => entry.version !== undefined;

const inWords = ({ measure, estimate, ci_low, ci_high, missing }: StudyResult): string => {
  if (estimate === null) return `no estimate: ${missing["estimate"] ?? "not looked for yet"}`;
  const interval = ci_low !== null && ci_high !== null ? ` (${ci_low} to ${ci_high})` : "";
  return `${measure ?? "estimate"} ${estimate}${interval}`;
};

export async function read(baseUrl: string) {
  const api = createClient<paths, Media>({ baseUrl });

  // A list, narrowed and ordered; the type knows the values of `kind`.
  const treatments = await api.GET("/v1/treatments", {
    params: { query: { kind: ["biologic", "drug"], sort: "name", count: "exact", limit: 200 } },
  });
  if (treatments.error) throw new Error(treatments.error.detail);
  const names = treatments.data.items.map((treatment) => treatment.name);

  // One record, of which only some fields are needed.
  const path = { id: "onabotulinumtoxina" };
  const one = await api.GET("/v1/treatments/{id}", { params: { path, query: { fields: "name,kind,dose_unit" } } });
  if (one.error) throw new Error(one.error.detail);
  const unit: string | undefined = one.data.dose_unit?.label;

  // All results in small pages, each with its study and its sources beside it.
  const results: string[] = [];
  const orphans: string[] = [];
  let pages = 0;
  let cursor: string | null | undefined;
  do {
    const page = await api.GET("/v1/study-results", {
      params: {
        query: {
          condition: ["chronic-migraine"],
          include: "study,sources",
          limit: 3,
          ...(cursor ? { cursor } : {}),
        },
      },
    });
    if (page.error) throw new Error(page.error.detail);
    const { items, included, next } = page.data;
    for (const result of items.filter(isWhole)) {
      const study = included?.studies?.[result.study];
      const cited = result.citations.map(({ source }) => included?.sources?.[source]?.title);
      if (study === undefined || cited.includes(undefined)) orphans.push(result.id);
      results.push(`${study?.acronym ?? study?.title}: ${inWords(result)}`);
    }
    pages += 1;
    cursor = next;
  } while (cursor);

  // A whole page in one answer.
  const dossier = await api.GET("/v1/treatments/{id}/dossier", { params: { path } });
  if (dossier.error) throw new Error(dossier.error.detail);
  const refused = dossier.data.approvals.items.filter((approval) => approval.status === "not-approved").length;

  // An error says which parameter is wrong, and is typed as well.
  const faulty = await api.GET("/v1/side-effects", { params: { query: { sort: "percentage" } } });
  const hint = faulty.error?.errors?.[0];

  return {
    total: treatments.data.total,
    names,
    one: { id: one.data.id, name: one.data.name, kind: one.data.kind, unit },
    pages,
    results,
    orphans,
    dossier: { treatment: dossier.data.treatment.id, refused, disclaimer: dossier.data.disclaimer },
    error: { status: faulty.response.status, type: faulty.error?.type, parameter: hint?.parameter, nearest: hint?.nearest },
  };
}
