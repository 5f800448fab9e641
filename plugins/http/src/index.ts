// http: listeners that serve the routes of other plugins. A port that cannot be bound stops the start and says which
// option to change; ports bound before it are closed again.
import { createServer as createHttp, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createHttps } from 'node:https'
import type { AddressInfo } from 'node:net'
import {
  certificates,
  clock,
  definePlugin,
  type HttpRoutes,
  log,
  metrics,
  optional,
  type PluginFactory,
  random,
  routes,
  secrets,
  system,
  UsageError,
} from '@mox/plugin-sdk'
import { type AdminGate, WRONG_PER_MINUTE } from './admin.ts'
import { makeApp } from './app.ts'
import { Limiter } from './limiter.ts'
import { type Listener, options } from './options.ts'

/** Milliseconds that the body of a request may take, whatever its size, and bytes a second that it must have beyond that. */
export const BODY_GRACE_MS = 120_000
export const BODY_RATE = 16_384
/** Connections one listener holds at most. */
export const MAX_CONNECTIONS = 2000

export const http: PluginFactory<typeof options> = definePlugin({
  name: 'http',
  options,
  needs: { clock, log, metrics, random, secrets, system, routes, certificates: optional(certificates) },
  setup: ({ options, services }) => {
    const { clock, log, metrics, random, system } = services
    const servers: Server[] = []
    const requests = metrics.counter('mox_httpserver_requests_total', 'HTTP requests by listener and status code.')
    const hosts = new Set(['localhost', system.hostname.toLowerCase(), ...options.hosts.map(h => h.toLowerCase())])
    const limiter = options.requestsPerMinute === false ? undefined : new Limiter(options.requestsPerMinute)
    let adminPassword = options.adminPassword
    const admin: AdminGate = {
      get password() {
        return adminPassword
      },
      failures: new Limiter(WRONG_PER_MINUTE),
      now: () => clock.now(),
    }
    const own: HttpRoutes = {
      prefix: '/metrics',
      audience: 'metrics',
      title: 'Prometheus metrics',
      middleware: async ctx => {
        ctx.type = 'text/plain; version=0.0.4; charset=utf-8'
        ctx.body = await metrics.render()
      },
    }

    const makeServer = (name: string, listener: Listener): Server => {
      const app = makeApp({
        routes: [...services.routes, own],
        serves: listener.serves,
        hosts,
        limiter,
        admin,
        clock,
        random,
        log,
      })
      const handle = app.callback()
      const limits = {
        headersTimeout: 15_000,
        // Large bodies may take longer; see `limitBody`.
        requestTimeout: 0,
        keepAliveTimeout: 10_000,
        maxHeaderSize: 16_384,
      }
      const limitBody = (request: IncomingMessage, response: ServerResponse): void => {
        const bytes = Number(request.headers['content-length'] ?? 0)
        const cancel = clock.after(BODY_GRACE_MS + (bytes / BODY_RATE) * 1_000, () => {
          if (!request.complete) request.destroy()
        })
        response.once('close', cancel)
      }
      const onRequest: Parameters<typeof createHttp>[1] = (request, response) => {
        if (request.headers['content-length'] !== undefined) limitBody(request, response)
        response.on('finish', () => requests.inc({ listener: name, code: String(response.statusCode) }))
        void handle(request, response)
      }
      let server: Server
      if (listener.tls) {
        const tls = services.certificates
        if (tls === undefined)
          throw new UsageError(
            `http: listeners.${name}.tls is true but no plugin provides certificates; add certificates({…}) to plugins`,
          )
        server = createHttps(
          { ...limits, minVersion: 'TLSv1.2', SNICallback: (host, done) => done(null, tls.context(host)) },
          onRequest,
        )
        const https = server as ReturnType<typeof createHttps>
        https.on('tlsClientError', error => log.debug({ listener: name, err: error }, 'TLS handshake failed'))
      } else server = createHttp(limits, onRequest)
      server.maxConnections = MAX_CONNECTIONS
      return server
    }

    return {
      start: async () => {
        const wanted = Object.values(options.listeners).some(l => l.serves.includes('admin'))
        // Without a password admin routes answer 403 and say what to do.
        if (wanted && adminPassword === undefined)
          adminPassword = await services.secrets.get('admin-password').catch(() => undefined)
      },
      listen: async () => {
        for (const [name, listener] of Object.entries(options.listeners))
          for (const ip of [listener.ip].flat()) {
            const server = makeServer(name, listener)
            const bound = await listen(server, ip, listener.port).catch((error: NodeJS.ErrnoException) => {
              // A machine without IPv6 has no ::1; the IPv4 address beside it is enough.
              if (error.code === 'EADDRNOTAVAIL' && ip === '::1' && [listener.ip].flat().length > 1) return undefined
              throw bindError(error, name, ip, listener.port)
            })
            if (bound === undefined) continue
            servers.push(server)
            const scheme = listener.tls ? 'https' : 'http'
            log.info(
              {
                listener: name,
                url: `${scheme}://${bound.family === 'IPv6' ? `[${ip}]` : ip}:${bound.port}/`,
                serves: listener.serves.join(','),
              },
              'listening',
            )
          }
      },
      drain: async signal => {
        const closed = servers.map(server => new Promise<void>(resolve => server.close(() => resolve())))
        const force = (): void => {
          for (const server of servers) server.closeAllConnections()
        }
        for (const server of servers) server.closeIdleConnections()
        if (signal.aborted) force()
        signal.addEventListener('abort', force, { once: true })
        await Promise.all(closed)
        signal.removeEventListener('abort', force)
      },
      stop: () => {
        for (const server of servers) {
          server.close()
          server.closeAllConnections()
        }
      },
    }
  },
})

async function listen(server: Server, host: string, port: number): Promise<AddressInfo> {
  return await new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port, ipv6Only: host.includes(':') }, () => {
      server.off('error', reject)
      resolve(server.address() as AddressInfo)
    })
  })
}

function bindError(error: NodeJS.ErrnoException, name: string, ip: string, port: number): UsageError {
  const option = `plugins: http({ listeners: { ${name}: { port } } })`
  if (error.code === 'EADDRINUSE')
    return new UsageError(
      `http: ${ip} port ${port} is in use by another program; stop it, or choose another port in ${option}`,
    )
  if (error.code === 'EACCES')
    return new UsageError(
      `http: no permission for ${ip} port ${port}; start as root, or choose a port above 1023 in ${option}`,
    )
  return new UsageError(
    `http: cannot listen on ${ip} port ${port} (${error.code ?? error.message}); check ip and port in ${option}`,
  )
}
