// The list of what was said. Everything that comes from others becomes text, never markup.
// Keeps the last entries, and the end in view unless the reader has scrolled up.

const entries = 200;

const time = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });

function element(name, className, text) {
  const result = document.createElement(name);
  result.className = className;
  result.textContent = text;
  return result;
}

export class Chat {
  #list;

  constructor(list) {
    this.#list = list;
  }

  /** Shows what `sender` {name, colour} said; `isOwn` if it was said here. */
  add(sender, text, isOwn) {
    const entry = element('li', isOwn ? 'entry own' : 'entry', '');
    const head = element('p', 'entry-head', '');
    const name = element('strong', 'sender', String(sender.name));
    name.dataset.line = sender.colour;
    head.append(name, element('time', '', time.format(new Date())));
    entry.append(head, element('p', 'entry-text', String(text)));
    this.#append(entry);
  }

  #append(item) {
    const { scrollHeight, scrollTop, clientHeight } = this.#list;
    const isAtEnd = scrollHeight - scrollTop - clientHeight < 40;
    this.#list.querySelector('.empty')?.remove();
    this.#list.append(item);
    while (this.#list.children.length > entries) this.#list.firstElementChild.remove();
    if (isAtEnd) this.#list.scrollTop = this.#list.scrollHeight;
  }
}
