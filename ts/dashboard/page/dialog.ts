/** Asks before something is done that cannot be undone. */
import type { ApiError } from "./api.js";
import { type Child, element, replace } from "./dom.js";

export interface Question {
  readonly title: string;
  readonly text: Child;
  /** What the button that does it says. */
  readonly action: string;
  readonly isDangerous?: boolean;
  /** What it does; a failure is shown in the dialog, which stays open. */
  readonly act: () => Promise<unknown>;
}

/** The browser keeps the focus inside, closes with Escape and gives the focus back. */
export function ask({ title, text, action, isDangerous = false, act }: Question): void {
  const fault = element("p", { class: "fault", role: "alert" });
  const close = (): void => dialog.close();
  const confirm = element("button", { class: isDangerous ? "danger" : "primary" }, action);
  confirm.addEventListener("click", () => {
    confirm.disabled = true;
    act().then(close, ({ message, remedy }: ApiError) => {
      confirm.disabled = false;
      replace(fault, `${message} ${remedy}`);
    });
  });
  const dialog = element(
    "dialog",
    { "aria-labelledby": "dialog-title", onclose: () => dialog.remove() },
    element("h2", { id: "dialog-title" }, title),
    element("div", {}, text),
    fault,
    element("div", { class: "actions" }, element("button", { onclick: close }, "Keep as it is"), confirm),
  );
  document.body.append(dialog);
  dialog.showModal();
}
