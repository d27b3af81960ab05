// Enhancements of the simulator's page: new messages appear by themselves, and a code can be copied.
const EVERY_MS = 2000;

const page = () => document.querySelector('.simulator');

function dress(root) {
  for (const button of root.querySelectorAll('[data-copy]')) button.hidden = !navigator.clipboard;
}

function toNewest() {
  const screen = document.querySelector('.simulator .screen');
  screen.scrollTop = screen.scrollHeight;
}

async function refresh() {
  if (document.hidden) return;
  const answer = await fetch(location.href, { headers: { accept: 'text/html' } }).catch(() => null);
  if (!answer?.ok) return;
  const next = new DOMParser().parseFromString(await answer.text(), 'text/html').querySelector('.simulator');
  if (next === null || next.dataset.newest === page().dataset.newest) return;
  for (const item of next.querySelectorAll('li[id]')) {
    if (document.getElementById(item.id) === null) item.classList.add('arrived');
  }
  dress(next);
  page().replaceWith(document.adoptNode(next));
  toNewest();
}

document.addEventListener('click', async (event) => {
  const button = event.target.closest?.('[data-copy]');
  if (!button) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  button.textContent = button.dataset.copied;
});

dress(document);
toNewest();
setInterval(refresh, EVERY_MS);
