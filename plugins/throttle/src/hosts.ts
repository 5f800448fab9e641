// Which servers belong together: a provider counts connections and messages of an address over all its hosts and over all the
// domains that it takes mail for.

/** Ends of host names by provider, as their MX records have them. */
const PROVIDERS: readonly (readonly [name: string, ends: readonly string[]])[] = [
  ['google', ['google.com', 'googlemail.com']],
  ['microsoft', ['outlook.com', 'mx.microsoft', 'hotmail.com']],
  ['yahoo', ['yahoodns.net']],
  ['apple', ['icloud.com', 'apple.com']],
  ['proofpoint', ['pphosted.com', 'ppe-hosted.com']],
  ['mimecast', ['mimecast.com', 'mimecast.co.za']],
  ['barracuda', ['barracudanetworks.com']],
  ['ionos', ['kundenserver.de', 'ionos.com', '1and1.com', 'perfora.net']],
  ['united-internet', ['gmx.net', 'web.de', 'mail.com']],
  ['proton', ['protonmail.ch']],
  ['fastmail', ['messagingengine.com']],
  ['zoho', ['zoho.com', 'zoho.eu']],
  ['yandex', ['yandex.net', 'yandex.ru']],
  ['mail.ru', ['mail.ru']],
]

/** "google" for one of Google's; "example.com" for mx1.example.com and mx2.example.com. */
export function groupOf(host: string): string {
  const name = host.toLowerCase().replace(/\.$/, '')
  const known = PROVIDERS.find(([, ends]) => ends.some(end => name === end || name.endsWith(`.${end}`)))
  if (known !== undefined) return known[0]
  // An address has no name to cut.
  if (!/[a-z]/.test(name) || name.includes(':')) return name
  const rest = name.split('.').slice(1)
  // "mail.example" is a whole name, and "co.uk" is nobody's.
  if (rest.length < 2 || (rest.length === 2 && /^[a-z]{2,3}\.[a-z]{2}$/.test(rest.join('.')))) return name
  return rest.join('.')
}
