// The configuration of a new localserve directory: an ordinary mox.config.ts that a developer may edit, copied from
// template/ with the address to listen on filled in.
import { readFile } from 'node:fs/promises'

/** Ports of the template: the regular port + 1000. IMAP's 1143 and 1993 stay free. */
export const PORTS = {
  smtp: 1025,
  submission: 1587,
  submissions: 1465,
  http: 1080,
  https: 1443,
  metrics: 1081,
} as const

const ADDRESSES = "const ip = ['127.0.0.1', '::1']"

/** `ip`: the address to listen on; undefined for both loopback addresses. */
export async function configText(ip: string | undefined): Promise<string> {
  const text = await readFile(new URL('../template/mox.config.ts', import.meta.url), 'utf8')
  if (!text.includes(ADDRESSES)) throw new Error('the template does not say where to listen')
  return ip === undefined ? text : text.replace(ADDRESSES, `const ip = '${ip}'`)
}

/** The same for a test: free ports on 127.0.0.1, and a log that a program can read. */
export async function testConfigText(): Promise<string> {
  const text = await configText('127.0.0.1')
  const changed = text
    .replace(/\bport: \d+/g, 'port: 0')
    .replace(/\blog: \{[^}]*\}/, "log: { level: 'info', format: 'json' }")
  if (changed.match(/port: 0/g)?.length !== Object.keys(PORTS).length || !changed.includes("format: 'json'"))
    throw new Error('the template does not have the listeners and the log that tests need')
  return changed
}
