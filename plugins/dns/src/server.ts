// The address of a name server, as options and resolv.conf write it.
import { isIP } from 'node:net'

export interface Server {
  /** An IP address, for link-local ones with the zone: "fe80::1%eth0". */
  readonly address: string
  readonly port: number
}

/** Servers that are asked; more are left out. */
export const SERVERS_LIMIT = 8
const PORT = 53

/** "192.0.2.1", "192.0.2.1:5353", "2001:db8::1" or "[2001:db8::1]:5353"; undefined for anything else. */
export function parseServer(text: string): Server | undefined {
  if (isIP(text) !== 0) return { address: text, port: PORT }
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(text) ?? []
  const address = bracketed ?? plain ?? ''
  const port = digits === undefined ? PORT : Number(digits)
  if (isIP(address) !== (bracketed === undefined ? 4 : 6) || port < 1 || port > 65_535) return undefined
  return { address, port }
}

export function formatServer({ address, port }: Server): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

/** On this machine: nobody can change its answers on the way. */
export function isLoopback({ address }: Server): boolean {
  return /^(?:::ffff:)?127\./i.test(address) || /^(?:0{0,4}:){2,7}0{0,3}1$/.test(address)
}
