// @mox/plugin-sdk/mail: pure, bounded, linear-time functions on mail: addresses, commands, headers, MIME, dates, trace
// fields. Node builtins only. Parsers of hostile input return data about what is wrong and never throw; formatters
// throw on input that would break a message, because that is a mistake of the caller.
export {
  formatAddress,
  formatPath,
  type LocalpartResult,
  type ParsePathOptions,
  type Path,
  type PathResult,
  parseAddress,
  parseLocalpart,
  parsePath,
  pathToString,
  type ReversePathResult,
} from './address.ts'
export * from './attachments.ts'
export * from './author.ts'
export * from './command.ts'
export * from './date.ts'
export * from './digest.ts'
export {
  alignedDomains,
  type DomainResult,
  displayDomain,
  isAddressLiteral,
  parseDomain,
  type Refused,
  sameDomain,
} from './domain.ts'
export * from './dots.ts'
export * from './header.ts'
export { htmlText } from './html-text.ts'
export * from './ids.ts'
export * from './limits.ts'
export { type MimeLimits, type MimeProblemKind, type Part, parseStructure } from './mime.ts'
export * from './mime-text.ts'
export * from './parameters.ts'
export * from './reader.ts'
export * from './replies.ts'
export * from './search-query.ts'
export * from './structure.ts'
export * from './trace.ts'
export * from './view.ts'
export { decodeCharset, decodeWords, encodeWords } from './words.ts'
