import { connect } from "./form.mjs";

const status = document.querySelector("#status");

document.querySelector("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const { api, email, pwd } = Object.fromEntries(new FormData(event.target));
  const path = event.submitter?.value ?? "/login";
  try {
    const server = await connect(api);
    const response = await server.send(path, { email, pwd });
    const answer = await response.json();
    status.textContent = response.ok
      ? (path === "/login" ? `Signed in as ${answer.role}.` : "Look for a letter.")
      : `${response.status}: ${answer.title}`;
  } catch (error) {
    status.textContent = `It did not work: ${error.message}`;
  }
});
