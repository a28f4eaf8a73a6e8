// Nothing here is needed: without it, times stand still until the page is opened again.
"use strict";

(() => {
  const MINUTE = 60, HOUR = 3600, DAY = 86400, SOON = 900;
  const spell = (seconds) => {
    const left = Math.max(Math.floor(seconds), 0);
    const days = Math.floor(left / DAY), hours = Math.floor((left % DAY) / HOUR), minutes = Math.floor((left % HOUR) / MINUTE);
    if (days) return hours ? `${days} d ${hours} h` : `${days} d`;
    if (hours) return minutes ? `${hours} h ${minutes} min` : `${hours} h`;
    return minutes ? `${minutes} min` : `${left} s`;
  };
  const clocks = [...document.querySelectorAll("time[data-ends]")];
  const tick = () => {
    for (const each of clocks) {
      const left = Number(each.dataset.ends) - Date.now() / 1000;
      const text = left > 0 ? spell(left) : "over";
      if (each.textContent !== text) each.textContent = text;
      each.classList.toggle("soon", left < SOON);
    }
  };
  if (clocks.length) {
    tick();
    setInterval(tick, 1000);
  }
  for (const each of document.querySelectorAll("time[datetime]")) {
    const moment = new Date(each.dateTime);
    if (!Number.isNaN(moment.getTime())) each.title = moment.toLocaleString(undefined, { timeZoneName: "short" });
  }
  // A page that is looked at, and in which nobody types, is opened again.
  const live = document.querySelector("[data-live]");
  if (live) {
    setInterval(() => {
      const typed = document.activeElement?.matches("input, select, textarea");
      if (!document.hidden && !typed) location.reload();
    }, Number(live.dataset.live) * 1000);
  }
  // A second press sends nothing twice; the button that was pressed has gone along with the form by then.
  for (const form of document.querySelectorAll("form[method=post]")) {
    form.addEventListener("submit", () => setTimeout(() => {
      for (const button of form.querySelectorAll("button")) button.disabled = true;
    }));
  }
  addEventListener("pageshow", (event) => {
    if (event.persisted) for (const button of document.querySelectorAll("form[method=post] button")) button.disabled = false;
  });
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.me[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });
  document.addEventListener("keydown", (event) => {
    const menu = document.querySelector("details.me[open]");
    if (event.key === "Escape" && menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });
})();
