// Fastify with better-sqlite3 and response schemas, as its guide recommends them.
const fastify = require('fastify')({ logger: false })
const database = require('better-sqlite3')(process.env.PEERS_DATABASE, { readonly: true })

const string = { type: 'string' }
const text = { type: ['string', 'null'] }
const number = { type: ['number', 'null'] }
const truth = { type: ['boolean', 'null'] }
const object = (properties) => ({ type: 'object', properties })
const list = (items) => ({ type: 'array', items })
const missing = { type: 'object', additionalProperties: true }
const citation = object({
  missing, source: string, locator: text, quote: text, span: text, numbers: list(number), note: text
})
const arm = object({
  missing, arm: string, role: string, affected: number, at_risk: number, event_count: number, percent: number,
  assessment: text
})
const fields = {
  id: string, citations: list(citation), treatment: string, condition: text, term: string, organ_class: text,
  serious: truth, basis: string, attribution: string, study: text, arms: list(arm), frequency: text, affected: number,
  at_risk: number, percent: number, missing, curator_checked: text, version: number, created_at: string,
  updated_at: string, state: string, verification: text, checked_on: text, source_status: text, needs_review: truth,
  review_due: text, superseded_by: text
}
const about = object({ id: string, name: string, definition: text })
const page = { 200: object({ items: list(object(fields)) }) }
const pageWithConditions = { 200: object({ items: list(object({ ...fields, about })) }) }

const columns = Object.keys(fields).map((name) => `s.${name}`).join(', ')
const from = `SELECT ${columns} FROM side_effect s`
const one = database.prepare(`${from} WHERE id = ?`)
const all = database.prepare(`${from} ORDER BY id LIMIT ?`)
const ofTreatment = database.prepare(`${from} WHERE treatment = ? ORDER BY id LIMIT ?`)
const byPercent = database.prepare(`${from} WHERE treatment = ? ORDER BY percent DESC LIMIT ?`)
const withCondition = database.prepare(
  `SELECT ${columns}, c.id AS about_id, c.name AS about_name, c.definition AS about_definition
   FROM side_effect s LEFT JOIN condition c ON c.id = s.condition WHERE s.treatment = ? ORDER BY s.id LIMIT ?`
)
const treatment = database.prepare('SELECT 1 FROM treatment WHERE id = ?')

const parsed = (row) => {
  row.citations = JSON.parse(row.citations)
  row.arms = JSON.parse(row.arms)
  row.missing = JSON.parse(row.missing)
  row.serious = row.serious === null ? null : row.serious === 1
  row.needs_review = row.needs_review === 1
  return row
}
const joined = (row) => {
  parsed(row).about = { id: row.about_id, name: row.about_name, definition: row.about_definition }
  return row
}
const querystring = object({
  treatment: string, limit: { type: 'integer', default: 20 }, sort: { ...string, default: 'id' }
})
const absent = (reply) => reply.code(404).send({ detail: 'Not Found' })

fastify.get('/side-effects', { schema: { querystring, response: page } }, (request, reply) => {
  const { treatment, limit, sort } = request.query
  if (treatment === undefined) return reply.send({ items: all.all(limit).map(parsed) })
  const statement = sort === '-percent' ? byPercent : ofTreatment
  reply.send({ items: statement.all(treatment, limit).map(parsed) })
})
fastify.get(
  '/side-effects-with-conditions', { schema: { querystring, response: pageWithConditions } }, (request, reply) => {
    reply.send({ items: withCondition.all(request.query.treatment, request.query.limit).map(joined) })
  }
)
fastify.get('/side-effects/:id', { schema: { response: { 200: object(fields) } } }, (request, reply) => {
  const row = one.get(request.params.id)
  return row === undefined ? absent(reply) : reply.send(parsed(row))
})
fastify.get('/treatments/:id/side-effects', { schema: { querystring, response: page } }, (request, reply) => {
  if (treatment.get(request.params.id) === undefined) return absent(reply)
  reply.send({ items: ofTreatment.all(request.params.id, request.query.limit).map(parsed) })
})
fastify.listen({ port: Number(process.env.PORT), host: '127.0.0.1' })
