// The reader's wishes: kept, and in force before the first word is shown.
import { LANGUAGES, preferredLanguage, setLanguage, t } from "./strings.js";

const KEY = "riacho:preferences";

/** Each wish, its values in order, and how one is worded. The first value is the default. */
const WISHES = {
  theme: { values: ["system", "light", "dark"], word: (v) => t({ system: "themeSystem", light: "themeLight", dark: "themeDark" }[v]) },
  motion: { values: ["system", "less"], word: (v) => t({ system: "motionSystem", less: "motionLess" }[v]) },
  delivery: { values: ["streamed", "whole"], word: (v) => t({ streamed: "deliveryStreamed", whole: "deliveryWhole" }[v]) },
  pace: { values: ["free", "steady", "slow"], word: (v) => t({ free: "paceFree", steady: "paceSteady", slow: "paceSlow" }[v]) },
  language: { values: Object.keys(LANGUAGES), word: (v) => LANGUAGES[v] },
  count: { values: ["no", "yes"], word: (v) => t(v) },
};

/** Characters a second: what a quick reader takes in, and what one reads along with. */
const PACES = { free: undefined, steady: 80, slow: 25 };

export function preferences() {
  const dialog = document.getElementById("preferences");
  const spoken = new Set();
  const changed = new Set();
  const wishes = { language: preferredLanguage(), ...read() };
  for (const [name, { values }] of Object.entries(WISHES)) {
    if (!values.includes(wishes[name])) {
      wishes[name] = values[0];
    }
  }

  const apply = () => {
    const { documentElement } = document;
    for (const name of ["theme", "motion", "delivery"]) {
      documentElement.dataset[name] = wishes[name];
    }
    setLanguage(wishes.language);
  };
  const choose = (name, value) => {
    wishes[name] = value;
    write(wishes);
    apply();
    changed.forEach((listener) => listener());
    if (name === "language") {
      draw();
      spoken.forEach((listener) => listener());
      dialog.querySelector(`[name="language"]`)?.focus();
    }
  };
  const draw = () => {
    document.getElementById("choices").replaceChildren(
      ...Object.entries(WISHES).map(([name, { values, word }]) => {
        const label = document.createElement("label");
        const select = document.createElement("select");
        select.name = name;
        select.append(...values.map((value) => new Option(word(value), value)));
        select.value = wishes[name];
        select.addEventListener("change", () => choose(name, select.value));
        label.append(t(name), select);
        return label;
      }),
    );
  };

  apply();
  document.getElementById("open-preferences").addEventListener("click", () => {
    draw();
    dialog.showModal();
  });
  return {
    onchange: (listener) => changed.add(listener),
    onlanguage: (listener) => spoken.add(listener),
    /** What the relay may count: nothing, unless the reader allows it. */
    counted: () => {
      const { theme, motion, language, delivery, pace, count } = wishes;
      return count === "yes" ? { theme, motion: motion === "less" ? "reduced" : motion, language, answers: delivery, pace } : undefined;
    },
    /** Characters a second; undefined as they come. Whole answers have no pace. */
    pace: () => (wishes.delivery === "whole" ? undefined : PACES[wishes.pace]),
  };
}

/** A page without storage forgets; it does not fail. */
function read() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    return kept !== null && typeof kept === "object" ? kept : {};
  } catch {
    return {};
  }
}

function write(wishes) {
  try {
    localStorage.setItem(KEY, JSON.stringify(wishes));
  } catch {
    // Nothing can be kept here.
  }
}
