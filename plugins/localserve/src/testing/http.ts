// Requests to the HTTP listener of a localserve. Anything but success is an error with what the server said.

export interface HttpOptions {
  /** Such as "http://localhost:1080". */
  readonly url: string
  /** Of user admin; default the one of a localserve, "moxadmin". */
  readonly adminPassword?: string
}

export class Http {
  readonly url: string
  readonly #authorization: string

  constructor({ url, adminPassword = 'moxadmin' }: HttpOptions) {
    this.url = new URL(url).origin
    this.#authorization = `Basic ${Buffer.from(`admin:${adminPassword}`).toString('base64')}`
  }

  /** Undefined and empty values are left out of the query. */
  at(path: string, query: Readonly<Record<string, string | number | readonly string[] | undefined>> = {}): URL {
    const url = new URL(path, this.url)
    for (const [name, value] of Object.entries(query))
      for (const one of Array.isArray(value) ? value : [value])
        if (one !== undefined && one !== '') url.searchParams.append(name, String(one))
    return url
  }

  async json<T>(url: URL): Promise<T> {
    return (await (await this.#request('GET', url)).json()) as T
  }

  async bytes(url: URL): Promise<Buffer> {
    return Buffer.from(await (await this.#request('GET', url)).arrayBuffer())
  }

  /** As the admin. Undefined for an answer without a body. */
  async change<T = undefined>(method: 'POST' | 'PUT' | 'DELETE', url: URL, body?: object): Promise<T> {
    const given: RequestInit =
      body === undefined
        ? {}
        : Buffer.isBuffer(body)
          ? { body: new Uint8Array(body), headers: { 'Content-Type': 'message/rfc822' } }
          : { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }
    const own = { 'X-Mox-Request': '1', Authorization: this.#authorization }
    const response = await this.#request(method, url, { ...given, headers: { ...given.headers, ...own } })
    const text = await response.text()
    return (text === '' ? undefined : JSON.parse(text)) as T
  }

  async #request(method: string, url: URL, init: RequestInit = {}): Promise<Response> {
    const response = await fetch(url, { ...init, method })
    if (response.ok) return response
    throw new Error(`${method} ${url.pathname}: ${response.status} ${(await response.text()).trim()}`)
  }
}
