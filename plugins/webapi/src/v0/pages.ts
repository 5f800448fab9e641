// The pages of v0: an index of its methods, and one page for each with an example and a form to try it.
import { escapeHtml, page } from '../web/page.ts'
import { METHODS, type Method } from './methods.ts'

export function indexPage(): string {
  const items = METHODS.map(
    ({ name, summary }) => `<li><a href="${name}">${name}</a><br><span class="dim">${escapeHtml(summary)}</span></li>`,
  )
  return page(
    'Web API v0',
    `<h1>Web API v0</h1>
<p>Each method takes a POST with HTTP Basic login and a form field <code>request</code> with JSON, and answers with JSON.
The same JSON is taken as <code>application/json</code> too.</p>
<ul class="list">
${items.join('\n')}
</ul>
<p class="dim">There is a newer API with API keys, idempotency and events: <a href="../v1/openapi.json">v1, as OpenAPI</a>.</p>`,
  )
}

export function methodPage(method: Method): string {
  const { name, summary, requestExample, responseExample, takesFiles } = method
  const request = JSON.stringify(requestExample, null, 2)
  const response = typeof responseExample === 'string' ? responseExample : JSON.stringify(responseExample, null, 2)
  const curl = `curl --user alice@example.com -H 'Content-Type: application/json' \\\n  --data '${JSON.stringify(requestExample)}' \\\n  https://mail.example.com/webapi/v0/${name}`
  const inputs = ['alternativefile', 'inlinefile', 'attachedfile'].map(
    field => `<label>${field} <input type="file" name="${field}" multiple></label>`,
  )
  return page(
    `${name} – Web API v0`,
    `<p><a href="./">All methods</a></p>
<h1>${name}</h1>
<p>${escapeHtml(summary)}</p>
<h2>Example</h2>
<pre>${escapeHtml(request)}</pre>
<h2>Answer</h2>
<pre>${escapeHtml(response)}</pre>
<h2>With curl</h2>
<pre>${escapeHtml(curl)}</pre>
<h2>Try it</h2>
<p class="dim">The browser asks for the address and the password of an account; the request is really carried out.</p>
<form method="post" action="${name}" enctype="multipart/form-data">
<label for="request">Request</label>
<textarea id="request" name="request" rows="${Math.min(24, request.split('\n').length + 2)}" spellcheck="false">
${escapeHtml(request)}</textarea>
${takesFiles ? inputs.join('\n') : ''}
<button>Call ${name}</button>
</form>`,
  )
}
