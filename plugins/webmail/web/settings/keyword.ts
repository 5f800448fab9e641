/**
 * The keyword for a label's name: a lower-case atom of IMAP (RFC 9051) without what would end it. '' where nothing is left.
 * Letters with accents lose them, as keywords are ASCII.
 */
export function keywordOf(name: string): string {
  const plain = name.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase().trim()
  return plain
    .replaceAll(/\s+/g, '-')
    .replaceAll(/[^!-~]|[(){%*"\\\]]/g, '')
    .replace(/^[$-]+/, '')
    .slice(0, 100)
}
