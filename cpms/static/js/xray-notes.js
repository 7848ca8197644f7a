// Marks on a picture: those of the page (the list says who made them and when), and those that nobody saved yet. A form of
// the page carries them to the server; words are typed in a field that stands where they will lie.
import { onStage, matrix } from "./xray-geometry.js";

const round = (value) => Math.round(value * 10) / 10;

export function notes(viewer, stages) {
  const keep = viewer.querySelector("[data-keep]");
  let sending = null; // instead of what was drawn: a view
  let sent = null; // while a request runs: what was drawn later stays
  const written = stages.map((each) => each.element.querySelector("[data-write]"));

  function read() {
    for (const stage of stages) {
      const from = stage.element.hasAttribute("data-marks") ? stage.element : document.getElementById("xray-notes");
      stage.saved = JSON.parse(from?.dataset.marks ?? "[]");
      stage.draw();
    }
  }

  // A drawn mark waits for its words, or only for being saved.
  function drawn(stage, mark) {
    stage.drafts.push(mark);
    if (mark.kind === "text" || mark.kind === "arrow") ask(stage, mark);
    count();
    stage.draw();
  }

  function ask(stage, mark) {
    const form = written[stages.indexOf(stage)];
    if (!form) return;
    const [x, y] = onStage(matrix(stage.view, stage.picture), mark.points[0]);
    const [left, top] = [x + stage.element.clientWidth / 2, y + stage.element.clientHeight / 2];
    form.hidden = false;
    form.style.left = `${Math.max(8, Math.min(left, stage.element.clientWidth - form.offsetWidth - 8))}px`;
    form.style.top = `${Math.max(8, Math.min(top + 12, stage.element.clientHeight - form.offsetHeight - 8))}px`;
    const field = form.querySelector("input");
    field.value = "";
    field.focus();
    const end = (isKept) => {
      if (form.hidden) return;
      form.hidden = true;
      mark.text = field.value.trim();
      if (mark.kind === "text" ? !mark.text || !isKept : !isKept && !mark.text) stage.drafts = stage.drafts.filter((other) => other !== mark);
      count();
      stage.draw();
      stage.element.focus({ preventScroll: true });
    };
    form.onsubmit = (event) => { event.preventDefault(); event.stopPropagation(); end(true); };
    field.onblur = () => end(true);
    field.onkeydown = (event) => {
      event.stopPropagation();
      if (event.key === "Escape") { field.value = ""; end(false); }
    };
  }

  function count() {
    if (!keep) return;
    const waiting = stages[0].drafts.length;
    keep.hidden = waiting === 0;
    keep.querySelector("[data-waiting]").textContent = keep.dataset.words.replace("{n}", waiting);
    // What was typed is not left without a question, see leave.js; a measure is quickly taken again.
    if (stages[0].drafts.some((mark) => mark.text)) keep.dispatchEvent(new Event("change", { bubbles: true }));
    else keep.reset();
  }

  function plain(mark) {
    return { ...mark, points: mark.points.map(([x, y]) => [round(x), round(y)]) };
  }

  keep?.addEventListener("submit", () => {
    sent = sending ? [] : [...stages[0].drafts];
    keep.elements.marks.value = JSON.stringify(sending ?? sent.map(plain));
  }, true);
  keep?.addEventListener("htmx:after:request", ({ detail: { ctx } }) => {
    if (ctx.response?.status === 401) return; // after signing in again it goes on its way
    if (ctx.response?.status < 300) stages[0].drafts = stages[0].drafts.filter((mark) => !sent?.includes(mark));
    sending = sent = null;
    count();
  });
  document.addEventListener("htmx:after:swap", read);
  read();

  return {
    drawn,
    save() { if (keep && stages[0].drafts.length && !sent) keep.requestSubmit(); },
    keepView() {
      if (!keep || sent) return;
      const { picture, view } = stages[0];
      const { center, width, invert } = picture.tone;
      sending = [{ kind: "adjust", center, width, invert, turn: view.turn, flip: view.flip }];
      keep.requestSubmit();
    },
    // The mark that was begun, or the last one that nobody saved.
    dropLast(stage) {
      if (stage.pen.mark) stage.pen.cancel();
      else stage.drafts.pop();
      count();
      stage.draw();
    },
    drop() {
      for (const stage of stages) { stage.drafts.length = 0; stage.draw(); }
      count();
    },
    show(stage, { center, width, invert, turn, flip }) {
      stage.place({ turn, flip });
      stage.picture.set({ center, width, invert });
      stage.draw();
    },
  };
}
