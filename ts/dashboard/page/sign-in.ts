/** The page where tokens are demanded and none was given. */
import { type ApiError, change } from "./api.js";
import { element, replace } from "./dom.js";

export function showSignIn(main: HTMLElement): void {
  const token = element("input", {
    id: "token",
    type: "password",
    autocomplete: "current-password",
    required: true,
    "aria-describedby": "token-error",
  });
  const fault = element("p", { id: "token-error", class: "fault", role: "alert" });
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    change("POST", "session", { token: token.value }).then(
      () => location.reload(),
      ({ message, remedy }: ApiError) => replace(fault, `${message} ${remedy}`),
    );
  };
  replace(
    main,
    element(
      "form",
      { class: "card sign-in", onsubmit: submit },
      element("h1", {}, "Sign in"),
      element(
        "p",
        { class: "quiet" },
        "This controller demands a token. ",
        element("code", {}, "cassl token create --role client"),
        " makes one; the role read-only shows everything and changes nothing.",
      ),
      element("label", { for: "token" }, "Token"),
      token,
      fault,
      element("button", { class: "primary" }, "Sign in"),
    ),
  );
  token.focus();
}
