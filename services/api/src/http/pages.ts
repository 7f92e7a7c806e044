import { createHash } from 'node:crypto'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { stringify } from 'yaml'
import { type ProblemDefinition, problemCatalogue, problemSlug } from '#platform/problem.ts'
import { RouteNotFound } from './problems.ts'

const style = `body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:3rem auto;padding:0 1rem;color:#1b2530}
a{color:#0b5fa5}code{background:#eef2f6;padding:.1em .3em;border-radius:3px}dt{font-weight:600;margin-top:.8rem}`
const policy = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; base-uri 'none'; frame-ancestors 'none'`
const config = { access: { public: true } } as const
const schema = { hide: true }
const ProblemParams = Type.Object({ slug: Type.String({ maxLength: 100 }) })

/** What people and programs open in a browser: the landing page, the document, a page per problem. */
export function servePages(app: FastifyInstance): void {
  app.get('/', { config, schema }, async (_request, reply) => html(reply, 'Purser', landing))
  app.get('/openapi.json', { config, schema }, async (_request, reply) =>
    reply.type('application/json').send(app.swagger()),
  )
  app.get('/openapi.yaml', { config, schema }, async (_request, reply) =>
    reply.type('application/yaml').send(stringify(app.swagger(), { aliasDuplicateObjects: false })),
  )
  app.get('/problems', { config, schema }, async (_request, reply) => html(reply, 'Problems', problemIndex()))
  const typed = app.withTypeProvider<TypeBoxTypeProvider>()
  typed.get('/problems/:slug', { config, schema: { ...schema, params: ProblemParams } }, async (request, reply) => {
    const problem = problemCatalogue().find((known) => problemSlug(known) === request.params.slug)
    if (!problem) throw new RouteNotFound()
    return html(reply, problem.title, problemPage(problem))
  })
}

function html(reply: FastifyReply, title: string, body: string): FastifyReply {
  const page = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${title}</title>
<meta name="viewport" content="width=device-width"><style>${style}</style></head><body>${body}</body></html>`
  return reply.header('content-security-policy', policy).type('text/html; charset=utf-8').send(page)
}

const landing = `<h1>Purser</h1>
<p>An order service that partners build on: it takes orders from many channels exactly once and never sells stock it
does not have.</p>
<ul>
<li><a href="/docs">Try the API</a> in the Swagger UI</li>
<li><a href="/openapi.json">openapi.json</a> or <a href="/openapi.yaml">openapi.yaml</a>: the contract, OpenAPI 3.1</li>
<li><code>npm install @purser/sdk</code>: the typed client</li>
<li><a href="/problems">Problems</a>: every error and what to do about it</li>
<li><a href="/health/ready">Health</a></li>
</ul>`

const problemIndex = (): string =>
  `<h1>Problems</h1><dl>${problemCatalogue()
    .map((p) => `<dt><a href="/problems/${problemSlug(p)}">${p.code}</a> ${p.status}</dt><dd>${p.title}</dd>`)
    .join('')}</dl>`

const problemPage = ({ code, status, title, advice, retryable }: ProblemDefinition): string =>
  `<h1>${title}</h1><p><code>${code}</code>, HTTP status ${status}. ${
    retryable ? 'The same request may succeed later.' : 'The same request will not succeed unchanged.'
  }</p>${advice ? `<p>${advice}</p>` : ''}<p><a href="/problems">All problems</a></p>`
