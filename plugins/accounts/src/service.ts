// directory@1 on the state in memory and the authenticator.
import type { Directory, LoginContext, SaslExchange } from '@mox/plugin-sdk'
import type { Authenticator } from './authenticator.ts'
import type { LoginLimits } from './limits.ts'
import type { Registry } from './registry.ts'
import { Exchange, type Mechanism } from './sasl/exchange.ts'
import { login, plain } from './sasl/plain.ts'
import { scram } from './sasl/scram.ts'

// Strongest first. Those with channel binding are announced without TLS as well, so that a client that has it can notice
// when somebody takes them out of the list.
const SCRAM = ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256', 'SCRAM-SHA-1-PLUS', 'SCRAM-SHA-1'] as const
const PLAIN = ['PLAIN', 'LOGIN'] as const

export function directoryService(registry: Registry, authenticator: Authenticator, limits: LoginLimits): Directory {
  return {
    resolve: async path => registry.lookup.resolve(path),
    domain: async name => registry.lookup.domain(name),
    domains: async () => registry.lookup.domains,
    account: async name => registry.lookup.account(name),
    accounts: async () => registry.lookup.accounts,
    maySendAs: async (account, path) => registry.lookup.maySendAs(account, path),
    mechanisms: ({ tls, allowPlain }) => (tls || allowPlain ? [...SCRAM, ...PLAIN] : SCRAM),
    sasl: (name, context) => exchangeFor(authenticator, name.toUpperCase(), context),
    login: (name, password, context) => authenticator.login(name, password, context, 'password'),
    passwordVersion: async account => authenticator.passwordVersion(account),
    limited: remoteIp => limits.limited(remoteIp),
  }
}

function exchangeFor(authenticator: Authenticator, name: string, context: LoginContext): SaslExchange | undefined {
  const mechanism = mechanismFor(authenticator, name, context)
  return mechanism === undefined ? undefined : new Exchange(authenticator, context, name, mechanism)
}

function mechanismFor(authenticator: Authenticator, name: string, context: LoginContext): Mechanism | undefined {
  switch (name) {
    case 'PLAIN':
      return plain(authenticator, context)
    case 'LOGIN':
      return login(authenticator, context)
    case 'SCRAM-SHA-256':
    case 'SCRAM-SHA-256-PLUS':
      return scram(authenticator, context, 'SHA-256', name.endsWith('-PLUS'))
    case 'SCRAM-SHA-1':
    case 'SCRAM-SHA-1-PLUS':
      return scram(authenticator, context, 'SHA-1', name.endsWith('-PLUS'))
    default:
      return undefined
  }
}
