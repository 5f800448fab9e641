// What a subject says of a message.

/** A forwarded one: "Fw:", "Fwd:", "[fwd:", "… (fwd)". */
export function isForward(subject: string): boolean {
  return /^\s*\[?fwd?:|\(fwd\)$/i.test(subject.trimEnd())
}
