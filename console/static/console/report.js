// A report's page: what is large is loaded when it is opened, and what changes is asked for again until it is final.
(() => {
  "use strict";

  const PAUSE = 2000; // milliseconds between two looks
  const LONGEST_PAUSE = 30000;
  const HEADERS = { "X-Requested-With": "fetch" };

  const page = document.getElementById("report");
  let pause = PAUSE;

  async function get(address) {
    const response = await fetch(address, { headers: HEADERS, credentials: "same-origin" });
    if (response.redirected) {
      location.reload(); // logged out in the meantime
    }
    if (!response.ok) {
      throw new Error(`${response.status}`);
    }
    return response.text();
  }

  async function load(details) {
    const place = details.querySelector(".aa-more") || details.querySelector(".aa-body");
    if (!details.open || details.dataset.loaded === (details.dataset.version || "")) {
      return;
    }
    const version = details.dataset.version || "";
    try {
      place.innerHTML = await get(details.dataset.details);
      details.dataset.loaded = version;
    } catch {
      // The link that stands there leads to the same.
    }
  }

  // Rows stay, so that what is open stays open; their summaries are drawn anew, for the axis grows.
  function take(fresh) {
    for (const part of ["#facts", "#legend", ".aa-axis"]) {
      page.querySelector(part).replaceWith(document.importNode(fresh.querySelector(part), true));
    }
    const steps = document.getElementById("steps");
    const rows = [...fresh.getElementById("steps").children].map((row) => {
      const known = row.id && document.getElementById(row.id);
      if (!known) {
        return document.importNode(row, true);
      }
      known.querySelector("summary").innerHTML = row.querySelector("summary").innerHTML;
      if (known.dataset.version !== row.dataset.version) {
        known.dataset.version = row.dataset.version;
        known.querySelector(".aa-facts").innerHTML = row.querySelector(".aa-facts").innerHTML;
        load(known);
      }
      return known;
    });
    if (rows.length !== steps.children.length || rows.some((row, place) => row !== steps.children[place])) {
      steps.replaceChildren(...rows);
    }
  }

  async function look() {
    if (!document.hidden) {
      try {
        take(new DOMParser().parseFromString(await get(page.dataset.live), "text/html"));
        pause = PAUSE;
      } catch {
        pause = Math.min(2 * pause, LONGEST_PAUSE);
      }
    }
    follow();
  }

  function follow() {
    if (!("final" in document.getElementById("facts").dataset)) {
      setTimeout(look, pause);
    }
  }

  document.addEventListener("toggle", (event) => {
    if (event.target.dataset && event.target.dataset.details) {
      load(event.target);
    }
  }, true);

  const meant = location.hash && document.getElementById(location.hash.slice(1));
  if (meant && meant.tagName === "DETAILS") {
    meant.open = true;
    meant.scrollIntoView({ block: "center" });
  }
  follow();
})();
