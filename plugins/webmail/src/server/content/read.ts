// What is taken from the bytes of a whole message: what an opened message shows, its parts, its HTML fit to show. Pure; runs in
// a thread of its own, because a hostile message may take long.
import {
  decodeBody,
  decodeText,
  decodeWords,
  fieldAddresses,
  firstMessageId,
  type Part,
  parseDate,
  parseHeader,
  parseMessageIds,
  parseStructure,
  partRoles,
  SUBJECT_LENGTH,
} from '@mox/plugin-sdk/mail'
import { writeLink } from '../../api/links.ts'
import type { OpenedMessage } from '../../api/model.ts'
import { type ImageGrant, imageLink, type RemoteImage } from './images.ts'
import { InlineImages } from './inline-images.ts'
import {
  BEGINNING_BYTES,
  HEADER_FIELD_LENGTH,
  HEADER_FIELDS,
  HTML_LENGTH,
  MESSAGE_PARTS,
  TEXT_BYTES,
  TEXT_PARTS,
  TEXTS_BYTES,
  TRACKER_HOSTS,
} from './limits.ts'
import { IMAGE_TYPES, MESSAGE_TYPE, type PartFacts, partFacts, pathsOf } from './outline.ts'
import { listZip, readZipEntry, type ZipListing } from './read-zip.ts'
import { type SafeHtml, sanitise } from './sanitise.ts'
import { listAddress, listId, unsubscribeWay } from './unsubscribe-header.ts'

/** What the bytes of a message say; the rest of an opened message is known from elsewhere. */
export type OpenedContent = Omit<
  OpenedMessage,
  | 'id'
  | 'receivedAt'
  | 'viewMode'
  | 'authentication'
  | 'draft'
  | 'panels'
  | 'tls'
  | 'withoutTls'
  | 'requireTls'
  | 'proxied'
> & {
  /** Our own Received field, when the message has one at the place where we write it; '' for none. */
  readonly received: string
}

/** A text of the message; `path` names its part. */
export type ShownText = OpenedMessage['texts'][number]

/** The parts of a message, without their content. */
export interface Outline {
  readonly parts: readonly PartFacts[]
  /** Paths of the parts that are attachments, in order. */
  readonly attachments: readonly string[]
  readonly subject: string
}

/** What a page for people shows as the body. */
export type BodyContent =
  | { readonly kind: 'html'; readonly html: string; readonly notice: string }
  | {
      readonly kind: 'texts'
      readonly texts: readonly ShownText[]
      readonly images: readonly { readonly name: string; readonly url: string }[]
    }
  | { readonly kind: 'none' }

export type ReadRequest =
  | { readonly kind: 'open' }
  | { readonly kind: 'outline' }
  | {
      readonly kind: 'body'
      readonly mode: 'text' | 'html' | 'external'
      readonly sanitised: boolean
      /** Our server fetches images from elsewhere; absent: the browser does. */
      readonly images?: ImageGrant
    }
  | { readonly kind: 'part-text'; readonly path: string }
  | { readonly kind: 'embedded'; readonly path: string; readonly sanitised: boolean }
  | { readonly kind: 'internals' }
  | { readonly kind: 'zip'; readonly path: string }
  | { readonly kind: 'zip-entry'; readonly path: string; readonly index: number }

export interface ReadAnswers {
  readonly open: OpenedContent
  readonly outline: Outline
  readonly body: BodyContent
  /** null: there is no such part. */
  readonly 'part-text': { readonly text: string; readonly truncated: boolean } | null
  /** A message within the message; null: there is no such part. */
  readonly embedded: { readonly opened: OpenedContent; readonly content: BodyContent } | null
  /** null: it is none. */
  readonly zip: ZipListing | null
  readonly 'zip-entry': { readonly name: string; readonly bytes: Uint8Array } | null
  readonly internals: { readonly structure: unknown; readonly part: unknown }
}

/** Kinds whose answers take a library that answers later. */
type Later = 'zip' | 'zip-entry'
type Answer<K extends ReadRequest['kind']> = K extends Later ? Promise<ReadAnswers[K]> : ReadAnswers[K]

export function read<K extends ReadRequest['kind']>(
  bytes: Buffer,
  request: Extract<ReadRequest, { readonly kind: K }>,
): Answer<K>
export function read(bytes: Buffer, request: ReadRequest): Answer<ReadRequest['kind']> {
  const message = new Message(bytes)
  switch (request.kind) {
    case 'open':
      return message.open()
    case 'outline':
      return message.outline()
    case 'body':
      return request.mode === 'text' ? message.textBody() : message.htmlBody(request)
    case 'part-text':
      return message.partText(request.path)
    case 'embedded':
      return message.embedded(request)
    case 'internals':
      return message.internals()
    case 'zip':
      return message.zip(request.path, listZip)
    case 'zip-entry':
      return message.zip(request.path, bytes => readZipEntry(bytes, request.index))
  }
}

/** Addresses in documents below msg/ID/. */
function externalOf(grant: ImageGrant | undefined): (url: string) => string | undefined {
  if (grant === undefined) return url => url
  return url => {
    const link = imageLink(grant, url)
    return link === undefined ? undefined : `../../${link}`
  }
}

function hostsOf(images: readonly RemoteImage[]): string[] {
  const hosts = new Set(images.map(({ url }) => new URL(url).hostname))
  return [...hosts].slice(0, TRACKER_HOSTS)
}

/** Of a message that cannot be read as a whole: what its header says. `beginning`: at most BEGINNING_BYTES are looked at. */
export function readBeginning(beginning: Buffer): OpenedContent {
  const header = parseHeader(beginning.subarray(0, BEGINNING_BYTES)).length
  return new Message(Buffer.concat([beginning.subarray(0, header), Buffer.from('\r\n')])).open()
}

const PGP_MESSAGE = /^-----BEGIN PGP MESSAGE-----/m
const PGP_SIGNED = /^-----BEGIN PGP SIGNED MESSAGE-----/m
/** RFC 8551 §3.2. */
const PKCS7 = /^application\/(?:x-)?pkcs7-mime$/

class Message {
  readonly #bytes: Buffer
  readonly #root: Part
  readonly #paths: Map<Part, string>
  readonly #complete: boolean
  readonly #roles: ReturnType<typeof partRoles>

  constructor(bytes: Buffer) {
    this.#bytes = bytes
    this.#root = parseStructure(bytes, { parts: MESSAGE_PARTS })
    const { paths, complete } = pathsOf(this.#root)
    this.#paths = paths
    this.#complete = complete
    this.#roles = partRoles(this.#root)
  }

  open(): OpenedContent {
    const { head } = this.#root
    const { html } = this.#roles
    const htmlPath = html === undefined ? undefined : this.#paths.get(html)
    const texts = this.#texts()
    const shown = html === undefined ? undefined : this.#html(html, 0)
    const { remote = [] } = shown ?? {}
    const { signed, encrypted } = this.#protection(texts)
    return {
      from: fieldAddresses(head, 'from'),
      sender: fieldAddresses(head, 'sender'),
      replyTo: fieldAddresses(head, 'reply-to'),
      to: fieldAddresses(head, 'to'),
      cc: fieldAddresses(head, 'cc'),
      bcc: fieldAddresses(head, 'bcc'),
      subject: this.#subject(),
      date: parseDate(head.get('date') ?? ''),
      messageId: firstMessageId(head.get('message-id')),
      references: parseMessageIds(head.get('references') ?? '').map(id => `<${id}>`),
      headers: head.fields.slice(0, HEADER_FIELDS).map(({ name, value }) => ({
        name,
        value: decodeWords(value.slice(0, HEADER_FIELD_LENGTH)),
      })),
      texts,
      htmlPath: htmlPath ?? '',
      hasExternal: remote.some(({ tracker }) => !tracker),
      trackers: remote.filter(({ tracker }) => tracker).length,
      trackerHosts: hostsOf(remote.filter(({ tracker }) => tracker)),
      attachments: this.#attachments().map(({ path, filename, contentType, kind, size, contentId, viewable }) => ({
        ...{ path, filename, contentType, kind, size, contentId, viewable },
      })),
      signed,
      encrypted,
      forwarded: head.count('resent-from') > 0,
      listAddress: listAddress(head),
      listId: listId(head),
      unsubscribe: unsubscribeWay(head),
      notice: this.#notice(shown),
      received: this.#received(),
    }
  }

  outline(): Outline {
    const attachments = this.#attachments()
    const known = new Map(attachments.map(facts => [facts.path, facts]))
    return {
      parts: [...this.#paths].map(([part, path]) => known.get(path) ?? partFacts(this.#bytes, part, path)),
      attachments: attachments.map(facts => facts.path),
      subject: this.#subject(),
    }
  }

  textBody(): BodyContent {
    const texts = this.#texts()
    const inline = new InlineImages(this.#bytes, this.#root, undefined)
    const images: { name: string; url: string }[] = []
    for (const part of this.#roles.attachments) {
      const url = IMAGE_TYPES.has(part.contentType) ? inline.partUrl(part) : undefined
      if (url !== undefined) images.push({ name: this.#facts(part)?.filename ?? '', url })
    }
    return texts.length === 0 && images.length === 0 ? { kind: 'none' } : { kind: 'texts', texts, images }
  }

  /** `up`: folders of the document below the webmail. */
  htmlBody({ mode, sanitised, images }: Extract<ReadRequest, { readonly kind: 'body' }>, up: number = 2): BodyContent {
    const { html } = this.#roles
    if (html === undefined) return { kind: 'none' }
    // Only tests of the policy ask for it as it is.
    if (!sanitised) return { kind: 'html', html: decodeText(this.#bytes, html), notice: '' }
    const shown = this.#html(html, up, mode === 'external' ? externalOf(images) : undefined)
    return {
      kind: 'html',
      html: shown.html,
      notice: shown.truncated ? 'The end of this long message is left out.' : '',
    }
  }

  partText(path: string): ReadAnswers['part-text'] {
    const part = this.#partAt(path)
    return part === undefined || part.type === 'multipart' ? null : this.#text(part, TEXT_BYTES)
  }

  /** As a message of its own: its text, or its HTML when it has no text. */
  embedded({ path, sanitised }: Extract<ReadRequest, { readonly kind: 'embedded' }>): ReadAnswers['embedded'] {
    const part = this.#partAt(path)
    if (part === undefined || !MESSAGE_TYPE.test(part.contentType)) return null
    const inner = new Message(decodeBody(this.#bytes, part))
    const text = inner.textBody()
    const content = text.kind === 'none' ? inner.htmlBody({ kind: 'body', mode: 'html', sanitised }, 3) : text
    return { opened: inner.open(), content }
  }

  async zip<T>(path: string, work: (bytes: Buffer) => Promise<T | null>): Promise<T | null> {
    const part = this.#partAt(path)
    return part === undefined || part.type === 'multipart' ? null : await work(decodeBody(this.#bytes, part))
  }

  internals(): ReadAnswers['internals'] {
    const structure = (part: Part): unknown => ({
      ...{ path: this.#paths.get(part) ?? '', contentType: part.contentType, encoding: part.encoding },
      ...{ disposition: part.disposition, filename: part.filename ?? '', size: part.size, problems: part.problems },
      parts: (part.message === undefined ? part.children : [part.message]).map(structure),
    })
    const part = (of: Part): unknown => ({
      ...{ path: this.#paths.get(of) ?? '', start: of.start, bodyStart: of.bodyStart, end: of.end, lines: of.lines },
      ...{ contentType: of.contentType, params: Object.fromEntries(of.params), charset: of.charset },
      ...{ encoding: of.encoding, contentId: of.contentId ?? '', description: of.description ?? '' },
      header: of.head.fields.slice(0, 100).map(({ name, value }) => ({ name, value: value.slice(0, 1_000) })),
      headerProblems: of.head.problems,
      problems: of.problems,
      parts: (of.message === undefined ? of.children : [of.message]).map(part),
    })
    return { structure: structure(this.#root), part: part(this.#root) }
  }

  #partAt(path: string): Part | undefined {
    return [...this.#paths].find(([, own]) => own === path)?.[0]
  }

  #subject(): string {
    return decodeWords((this.#root.head.get('subject') ?? '').slice(0, SUBJECT_LENGTH))
  }

  #facts(part: Part): PartFacts | undefined {
    const path = this.#paths.get(part)
    if (path === undefined) return undefined
    const returned = MESSAGE_TYPE.test(part.contentType) ? 'original.eml' : undefined
    return partFacts(this.#bytes, part, path, this.#root.contentType === 'multipart/report' ? returned : undefined)
  }

  #attachments(): PartFacts[] {
    return this.#roles.attachments.map(part => this.#facts(part)).filter(facts => facts !== undefined)
  }

  #texts(): ShownText[] {
    let left = TEXTS_BYTES
    const texts: ShownText[] = []
    for (const part of this.#roles.texts) {
      const path = this.#paths.get(part)
      if (path === undefined || texts.length === TEXT_PARTS || left <= 0) continue
      const { text, truncated } = this.#text(part, Math.min(left, TEXT_BYTES))
      left -= text.length
      texts.push({ path, text, truncated, alternate: texts.length % 2 === 1 })
    }
    return texts
  }

  /** Line ends "\n". */
  #text(part: Part, most: number): { text: string; truncated: boolean } {
    // No encoding makes more than three octets of one; base64 and its line ends add a half.
    const end = Math.min(part.end, part.bodyStart + 4 * most)
    const text = decodeText(this.#bytes, { ...part, end }).replace(/\r\n?/g, '\n')
    const encoded = Buffer.from(text.slice(0, most))
    if (end === part.end && text.length <= most && encoded.length <= most) return { text, truncated: false }
    let cut = Math.min(most, encoded.length)
    while (cut > 0 && ((encoded[cut] ?? 0) & 0xc0) === 0x80) cut--
    return { text: encoded.toString('utf8', 0, cut), truncated: true }
  }

  #html(
    part: Part,
    up: number,
    external?: (url: string) => string | undefined,
  ): SafeHtml & { readonly imagesLeftOut: boolean } {
    const images = new InlineImages(this.#bytes, this.#root, part)
    const end = Math.min(part.end, part.bodyStart + 8 * HTML_LENGTH)
    const text = decodeText(this.#bytes, { ...part, end })
    const safe = sanitise(text, {
      ...(external && { external }),
      write: mailto => writeLink(mailto, up),
      image: id => images.url(id),
    })
    return { ...safe, imagesLeftOut: images.overflowed }
  }

  /** Encrypted or signed somewhere: lists put messages into a multipart of their own. */
  #protection(texts: readonly ShownText[]): { signed: boolean; encrypted: boolean } {
    let { signed, encrypted } = this.#roles
    for (const part of this.#paths.keys()) {
      if (part.contentType === 'multipart/signed') signed = true
      if (part.contentType === 'multipart/encrypted') encrypted = true
      if (!PKCS7.test(part.contentType)) continue
      if (part.params.get('smime-type') === 'signed-data') signed = true
      else encrypted = true
    }
    return {
      signed: signed || texts.some(({ text }) => PGP_SIGNED.test(text)),
      encrypted: encrypted || texts.some(({ text }) => PGP_MESSAGE.test(text)),
    }
  }

  #notice(html: (SafeHtml & { readonly imagesLeftOut: boolean }) | undefined): string {
    const problems = new Set([...this.#paths.keys()].flatMap(part => part.problems))
    const reasons = [
      problems.has('too-many-parts') ? `it has more than ${MESSAGE_PARTS} parts` : '',
      problems.has('too-deep') || !this.#complete ? 'parts are nested too deep' : '',
      this.#root.head.problems.some(({ kind }) => kind === 'truncated') ? 'its header is too long' : '',
      this.#roles.texts.length > TEXT_PARTS ? `it has more than ${TEXT_PARTS} texts` : '',
      html?.truncated ? 'its HTML is too long' : '',
      html?.imagesLeftOut ? 'its images are too large' : '',
    ].filter(reason => reason !== '')
    return reasons.length === 0 ? '' : `Not everything of this message is shown: ${reasons.join(', ')}.`
  }

  /** Deliveries begin with Delivered-To, Return-Path and Received of ours; nothing from outside can stand above. */
  #received(): string {
    const [first, ...rest] = this.#root.head.fields.slice(0, 3)
    if (first?.lower !== 'delivered-to') return ''
    return rest.find(field => field.lower === 'received')?.value ?? ''
  }
}
