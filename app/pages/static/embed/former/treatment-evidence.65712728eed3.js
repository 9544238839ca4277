// <treatment-evidence src="https://…/claims/c20" theme="light|dark|auto" release="…"><a href="…">…</a></treatment-evidence>
// Shows one record of a Treatment Evidence API as a card; without this file the link within stays. Apache-2.0.
const sheet = new CSSStyleSheet();
sheet.replaceSync(`
:host { display: block; box-sizing: border-box; height: 28rem; max-width: 40rem; color-scheme: light dark; }
:host([theme="light"]) { color-scheme: light; }
:host([theme="dark"]) { color-scheme: dark; }
:host([hidden]) { display: none; }
* { box-sizing: border-box; margin: 0; padding: 0; }
article { display: flex; flex-direction: column; height: 100%; border: 1px solid light-dark(#d6dee4, #303d47); border-radius: 8px; background: light-dark(#fff, #10161b); color: light-dark(#17212b, #e6ecf0); font: 15px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
.body { flex: 1; min-height: 0; overflow: auto; padding: 14px 16px 4px; }
footer { padding: 8px 16px 10px; border-top: 1px solid light-dark(#d6dee4, #303d47); }
footer, .quiet { font-size: 13px; color: light-dark(#4a5866, #aebbc5); }
a, ::slotted(a) { color: light-dark(#0b5d57, #83d8cf); }
:focus-visible { outline: 3px solid; outline-offset: 1px; border-radius: 2px; }
footer a { margin-right: 12px; }
.title { font: 600 18px/1.3 ui-serif, Charter, Georgia, serif; margin: 2px 0 6px; }
.title a { color: inherit; text-decoration: none; }
p { margin-top: 6px; }
p, a, b, span { unicode-bidi: isolate; }
.word { display: inline-block; margin-right: 6px; padding: 1px 9px; border-radius: 12px; font-size: 13px; font-weight: 600; }
.plain { color: light-dark(#3f4d59, #c4cfd7); background: light-dark(#e8ecef, #26313a); }
.good { color: light-dark(#155d36, #98e0b5); background: light-dark(#e2f3e8, #143021); }
.bad { color: light-dark(#96191d, #ffb9b0); background: light-dark(#fce9e7, #3c1a19); }
.care { color: light-dark(#704300, #f5d08e); background: light-dark(#fdf0d8, #36290f); }
.mark { padding: 5px 10px; border-radius: 3px; font-size: 14px; }
b { font-weight: 600; }
`);

/** An element with a class and text; text is only ever text. */
const make = (name, kind = "", ...inside) => {
  const element = document.createElement(name);
  element.className = kind;
  element.append(...inside);
  return element;
};

/** A link, to the web alone; anything else stays text. */
const link = ({ text, href }) => {
  if (!/^https?:\/\//i.test(href)) return text;
  const anchor = make("a", "", text);
  Object.assign(anchor, { href, target: "_blank", rel: "noopener noreferrer" });
  return anchor;
};

const tones = ["good", "bad", "care"];
const tone = (word) => (tones.includes(word.tone) ? word.tone : "plain");

class TreatmentEvidence extends HTMLElement {
  static observedAttributes = ["src", "release"];
  #root = this.attachShadow({ mode: "open" });
  #asked;
  #waits = false;

  constructor() {
    super();
    this.#root.adoptedStyleSheets = [sheet];
    this.#show([make("slot")], []);
  }

  connectedCallback() {
    this.#soon();
  }

  attributeChangedCallback() {
    this.#soon();
  }

  disconnectedCallback() {
    this.#asked?.abort();
  }

  /** Load once, however many attributes change at a time. */
  #soon() {
    if (this.#waits) return;
    this.#waits = true;
    queueMicrotask(() => {
      this.#waits = false;
      if (this.isConnected) this.#load();
    });
  }

  /** Ask the API for the card; what an earlier address answers is dropped. */
  async #load() {
    this.#asked?.abort();
    const asked = (this.#asked = new AbortController());
    let told = {};
    try {
      const url = new URL(this.getAttribute("src"), this.baseURI);
      url.pathname = url.pathname.replace(/(?:\/v1|\/embed)?(\/[a-z-]+\/[^/]+?)(?:\/card)?$/, "/v1$1/card");
      const release = this.getAttribute("release") ?? url.searchParams.get("release");
      url.search = release ? `?release=${encodeURIComponent(release)}` : "";
      const signal = AbortSignal.any([asked.signal, AbortSignal.timeout(15000)]);
      const answer = await fetch(url, { credentials: "omit", referrerPolicy: "no-referrer", signal });
      told = await answer.json();
      if (!answer.ok) throw answer;
      this.#card(told);
    } catch {
      if (asked.signal.aborted) return;
      const why = told.detail ?? "The service did not answer.";
      this.#show([make("p", "", "This record cannot be shown here."), make("p", "quiet", why), make("p", "", make("slot"))], []);
    }
  }

  #card(card) {
    const title = card.is_quote ? `“${card.title}”` : card.title;
    const body = [
      make("p", "quiet", card.kind),
      make("p", "title", link({ text: title, href: card.page })),
      make("p", "", ...card.judgements.flatMap((word) => [make("span", `word ${tone(word)}`, word.text), " "])),
      ...card.marks.map((mark) => make("p", `mark ${tone(mark)}`, link(mark))),
      make("p", "", card.summary),
      ...card.facts.map(({ name, text }) => make("p", "", make("b", "quiet", `${name}: `), text)),
      ...card.places.map((place) => make("p", "", make("b", "", `${place.place}: `), make("span", `word ${tone(place)}`, place.status), " ", make("span", "quiet", place.detail))),
      ...card.sources.map((source) => make("p", "quiet", `${card.source_label}: `, link(source), source.mark && ` (${source.mark})`)),
    ];
    const links = [link({ text: "All that is known", href: card.page }), " ", link(card.licence)];
    if (card.report) links.push(" ", link({ text: "Report an error", href: card.report }));
    this.#show(body.filter((part) => part.textContent), [make("p", "", `${card.as_of}. ${card.disclaimer}`), make("p", "", ...links)]);
  }

  #show(body, footer) {
    const card = make("article", "", make("div", "body", ...body));
    if (footer.length) card.append(make("footer", "", ...footer));
    this.#root.replaceChildren(card);
    this.dispatchEvent(new CustomEvent("treatment-evidence", { bubbles: true, detail: { shown: footer.length > 0 } }));
  }
}

if (!customElements.get("treatment-evidence")) customElements.define("treatment-evidence", TreatmentEvidence);
