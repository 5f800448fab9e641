// Messages for the browser tests and the pictures of the page: what a developer's test server gets on an ordinary day, and
// one that tries everything a hostile sender can put into HTML.

export interface Sample {
  readonly from: string
  readonly to: readonly string[]
  readonly content: Buffer
  /** Over the listener for other servers instead of as a submission. */
  readonly incoming?: true
}

const DATE = 'Date: Tue, 24 Nov 2026 10:00:00 +0000'

function sample(from: string, to: readonly string[], head: readonly string[], body: readonly string[]): Sample {
  const text = [`From: ${from}`, `To: ${to.join(', ')}`, DATE, ...head, '', ...body, ''].join('\r\n')
  return { from: /<(.*)>/.exec(from)?.[1] ?? from, to, content: Buffer.from(text) }
}

const shop = 'Corner Shop <mox@localhost>'

/** Delivered: text and HTML with an attachment. */
export const INVOICE: Sample = sample(
  shop,
  ['ada.lovelace@example.org'],
  [
    'Subject: Your order 1843 is on its way',
    'Message-ID: <order-1843@shop.test>',
    'MIME-Version: 1.0',
    'Content-Type: multipart/mixed; boundary=mixed',
  ],
  [
    '--mixed',
    'Content-Type: multipart/alternative; boundary=alt',
    '',
    '--alt',
    'Content-Type: text/plain; charset=utf-8',
    '',
    'Dear Ada,',
    '',
    'the punched cards left our house this morning and should be with you on Thursday.',
    'The invoice is attached.',
    '',
    'Your Corner Shop',
    '--alt',
    'Content-Type: text/html; charset=utf-8',
    '',
    '<h2 style="color:#0b6e4f">On its way</h2><p>Dear Ada,</p><p>the <b>punched cards</b> left our house this morning and should be with you on Thursday.</p><p>The invoice is attached.</p><p>Your Corner Shop</p>',
    '--alt--',
    '--mixed',
    'Content-Type: application/pdf; name="invoice-1843.pdf"',
    'Content-Disposition: attachment; filename="invoice-1843.pdf"',
    'Content-Transfer-Encoding: base64',
    '',
    ...Array.from({ length: 40 }, (_, i) =>
      Buffer.from(`line ${i} of the invoice, padded to a length.......`).toString('base64'),
    ),
    '--mixed--',
  ],
)

/** Delivered to two. */
export const RESET: Sample = sample(
  'Accounts <mox@localhost>',
  ['grace@example.org', 'admiral@example.com'],
  ['Subject: Reset your password', 'Message-ID: <reset@shop.test>'],
  [
    'Somebody asked for a new password for your account.',
    '',
    'https://shop.test/reset?token=8f14e45f',
    '',
    'If it was not you, do nothing.',
  ],
)

/** Refused for good when the queue delivers it. */
export const FAILED: Sample = sample(
  'Newsletter <mox@localhost>',
  ['queue-gone-permerror@example.net'],
  ['Subject: =?utf-8?Q?November=3A_what=E2=80=99s_new?=', 'Message-ID: <news-11@shop.test>'],
  ['Hello,', '', 'three things are new this month.'],
)

/** Deferred; waits in the queue. */
export const WAITING: Sample = sample(
  'Reports <mox@localhost>',
  ['queue-slow-452@example.net'],
  ['Subject: Weekly report, 47 of 2026', 'Message-ID: <report-47@shop.test>'],
  ['Orders: 128', 'Returns: 3'],
)

/** Came in from outside. */
export const REPLY: Sample = {
  ...sample(
    'Ada Lovelace <ada.lovelace@example.org>',
    ['mox@localhost'],
    [
      'Subject: Re: Your order 1843 is on its way',
      'Message-ID: <re-1843@example.org>',
      'In-Reply-To: <order-1843@shop.test>',
    ],
    ['Thank you! The cards arrived, and the engine runs.', '', 'Ada'],
  ),
  incoming: true,
}

/** The ways to run or load something from HTML. Everything points to `origin`, which must never be asked. */
export function hostile(origin: string): Sample {
  const url = (name: string): string => `${origin}/${name}`
  return {
    ...sample(
      'Mallory <mallory@example.com>',
      ['mox@localhost'],
      [
        'Subject: You won <script>alert(1)</script>',
        'Message-ID: <hostile@example.com>',
        'MIME-Version: 1.0',
        'Content-Type: text/html; charset=utf-8',
      ],
      [
        `<html><head><meta http-equiv="refresh" content="0;url=${url('refresh')}"><base href="${origin}/">`,
        `<link rel="stylesheet" href="${url('link.css')}"><style>@import url(${url('import.css')}); body{background:url(${url('style.png')})}</style>`,
        `<script>alert('script')</script><script src="${url('script.js')}"></script></head>`,
        `<body onload="alert('onload')" background="${url('body.png')}"><p>Harmless text</p>`,
        `<img src="x" onerror="alert('onerror')"><img src="${url('img.png')}" srcset="${url('srcset.png')} 2x">`,
        `<svg onload="alert('svg')"><script>alert('svg script')</script><image href="${url('svg.png')}"/></svg>`,
        `<iframe src="${url('iframe')}"></iframe><iframe srcdoc="<script>parent.alert('srcdoc')</script>"></iframe>`,
        `<object data="${url('object')}"></object><embed src="${url('embed')}"><video src="${url('video')}" autoplay></video><audio src="${url('audio')}" autoplay></audio>`,
        `<form action="${url('form')}"><button autofocus onfocus="alert('focus')">Win</button></form>`,
        `<a id="link" href="javascript:alert('link')">Click here</a><a href="${url('ping-target')}" ping="${url('ping')}">ping</a>`,
        `<div style="background-image:url(${url('inline.png')});position:fixed;inset:0">over</div>`,
        `<math><mtext><img src=x onerror=alert('math')></mtext></math><template><script>alert('t')</script></template>`,
        `<input type="image" src="${url('input.png')}"><table background="${url('table.png')}"><tr><td>cell</td></tr></table></body></html>`,
      ],
    ),
    incoming: true,
  }
}
