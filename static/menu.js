/** Menus made of `<details data-menu>`: a click elsewhere or Escape closes them. */

function close(menu, { focus = false } = {}) {
  menu.open = false;
  if (focus) menu.querySelector("summary").focus();
}

for (const menu of document.querySelectorAll("[data-menu]")) {
  document.addEventListener("click", ({ target }) => {
    if (menu.open && !menu.contains(target)) close(menu);
  });
  menu.addEventListener("keydown", ({ key }) => {
    if (key === "Escape" && menu.open) close(menu, { focus: true });
  });
}
