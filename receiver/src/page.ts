/** The page: takes a file and a key, lets the worker read, and shows what was found. */

import { ascii, type Bytes } from "./bytes";
import type { Ask, Told } from "./messages";
import { KEY_MARK } from "./marks";
import { shownType, textOf } from "./showing";

declare const WORKER_SOURCE: string;

const PREVIEW = 64 * 2 ** 20;

function by<T extends HTMLElement>(id: string): T {
  return document.getElementById(id) as T;
}

const page = {
  form: by<HTMLFormElement>("form"),
  file: by<HTMLInputElement>("file"),
  fileDrop: by("file-drop"),
  picture: by<HTMLImageElement>("file-picture"),
  key: by<HTMLInputElement>("key"),
  keyDrop: by("key-drop"),
  words: by<HTMLInputElement>("words"),
  show: by<HTMLButtonElement>("show"),
  read: by<HTMLButtonElement>("read"),
  stop: by<HTMLButtonElement>("stop"),
  progress: by("progress"),
  bar: by<HTMLProgressElement>("bar"),
  doing: by("doing"),
  status: by("status"),
  result: by("result"),
  facts: by("facts"),
  shown: by("shown"),
  download: by<HTMLAnchorElement>("download"),
  larger: by("larger"),
  scale: by<HTMLSelectElement>("scale"),
};

let chosenFile: File | undefined;
let chosenKey: File | undefined;
let worker: Worker | undefined;

function begin(): void {
  takesFiles(page.file, page.fileDrop, chooseFile);
  takesFiles(page.key, page.keyDrop, chooseKey);
  page.words.addEventListener("input", () => {
    if (page.words.value) forgetKey();
    refresh();
  });
  page.show.addEventListener("click", toggleWords);
  page.form.addEventListener("submit", (event) => {
    event.preventDefault();
    page.scale.value = "1";
    void start();
  });
  page.scale.addEventListener("change", () => void start());
  page.stop.addEventListener("click", () => finish("Stopped."));
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", (event) => {
    event.preventDefault();
    for (const file of event.dataTransfer?.files ?? []) void sort(file);
  });
  takeCarried();
  refresh();
}

/** Let a field take a file that is chosen or dropped. */
function takesFiles(input: HTMLInputElement, drop: HTMLElement, take: (file: File) => void): void {
  input.addEventListener("change", () => input.files?.[0] && take(input.files[0]));
  const over = (is: boolean) => () => drop.classList.toggle("over", is);
  drop.addEventListener("dragover", over(true));
  drop.addEventListener("dragleave", over(false));
  drop.addEventListener("drop", (event) => {
    over(false)();
    event.preventDefault();
    event.stopPropagation();
    const file = event.dataTransfer?.files[0];
    if (file) take(file);
  });
}

function chooseFile(file: File): void {
  chosenFile = file;
  by("carried-note").hidden = true;
  name("file", page.fileDrop, file);
  release(page.picture.src);
  page.picture.hidden = true;
  if (/^image\//.test(file.type) && file.size < PREVIEW) {
    page.picture.src = URL.createObjectURL(file);
    page.picture.onload = () => (page.picture.hidden = false);
  }
  refresh();
}

function chooseKey(file: File): void {
  chosenKey = file;
  name("key", page.keyDrop, file);
  page.words.value = "";
  refresh();
}

/** Take a file that was dropped beside the fields for what it is. */
async function sort(file: File): Promise<void> {
  const start = await file.slice(0, KEY_MARK.length).text();
  if (start === KEY_MARK) chooseKey(file);
  else chooseFile(file);
}

function forgetKey(): void {
  chosenKey = undefined;
  page.key.value = "";
  page.keyDrop.classList.remove("chosen");
  by("key-name").textContent = "Key file";
  by("key-more").textContent = "Drop it here, or choose it";
}

function name(id: string, drop: HTMLElement, file: File): void {
  drop.classList.add("chosen");
  by(`${id}-name`).textContent = file.name;
  by(`${id}-more`).textContent = sized(file.size);
}

function sized(bytes: number): string {
  if (bytes < 1000) return bytes === 1 ? "1 byte" : `${bytes} bytes`;
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

function toggleWords(): void {
  const seen = page.words.type === "password";
  page.words.type = seen ? "text" : "password";
  page.show.textContent = seen ? "Hide" : "Show";
  page.show.setAttribute("aria-pressed", String(seen));
}

function refresh(): void {
  const ready = chosenFile && (chosenKey || page.words.value);
  page.read.disabled = !ready || worker !== undefined;
}

/** Take the file that travels inside this page, if there is one. */
function takeCarried(): void {
  const carried = by("carried");
  const text = carried.textContent!.trim();
  if (!text) return;
  const data = ascii(atob(text)) as Uint8Array<ArrayBuffer>;
  const type = carried.dataset["type"] ?? "";
  chooseFile(new File([data], carried.dataset["name"] || "carried", { type }));
  by("carried-note").hidden = false;
}

async function start(): Promise<void> {
  if (page.read.disabled || !chosenFile) return;
  clear();
  worker = newWorker();
  worker.addEventListener("message", ({ data }: MessageEvent<Told>) => hear(data));
  worker.addEventListener("error", () => finish("This browser cannot run the reader."));
  page.progress.hidden = page.stop.hidden = false;
  page.doing.textContent = "Opening the file";
  page.bar.removeAttribute("value");
  refresh();
  try {
    const file = await bytesOf(chosenFile);
    const key = chosenKey ? { file: await bytesOf(chosenKey) } : { passphrase: page.words.value };
    const scale = Number(page.scale.value);
    worker?.postMessage({ file, key, scale } satisfies Ask, [file.buffer as ArrayBuffer]);
  } catch {
    finish("The browser could not open this file. Choose it again.");
  }
}

/** Start the worker, whose program travels inside this page's. */
function newWorker(): Worker {
  const program = new Blob([WORKER_SOURCE], { type: "text/javascript" });
  return new Worker(URL.createObjectURL(program));
}

async function bytesOf(file: File): Promise<Bytes> {
  return new Uint8Array(await file.arrayBuffer());
}

function hear(told: Told): void {
  if (told.kind === "progress") {
    page.doing.textContent = told.share
      ? `${told.doing}: ${Math.round(100 * told.share)} %`
      : told.doing;
    if (told.share) page.bar.value = told.share;
    else page.bar.removeAttribute("value");
    return;
  }
  if (told.kind === "failed") {
    finish(told.sentence);
    return;
  }
  finish("");
  present(told.data, told.suffix, told.fingerprint);
  page.larger.hidden = !told.shown;
}

/** End the worker, and say why. */
function finish(sentence: string): void {
  worker?.terminate();
  worker = undefined;
  page.progress.hidden = page.stop.hidden = true;
  page.status.textContent = sentence;
  refresh();
}

function clear(): void {
  page.status.textContent = "";
  page.result.hidden = true;
  page.shown.replaceChildren();
  release(page.download.href);
}

function release(address: string): void {
  if (address.startsWith("blob:")) URL.revokeObjectURL(address);
}

/** Show a message: text and pictures as they are, everything as a download. */
function present(data: Bytes, suffix: string, fingerprint: string | undefined): void {
  const type = shownType(data);
  const text = type ? undefined : textOf(data);
  const content = data as Uint8Array<ArrayBuffer>;
  const blob = new Blob([content], { type: type ?? "application/octet-stream" });
  page.download.href = URL.createObjectURL(blob);
  const end = suffix || (type ? `.${type.split("/")[1]}` : text === undefined ? "" : ".txt");
  page.download.download = `message${end}`;
  page.download.textContent = `Download message${end}`;
  const key = fingerprint ? `, key ${fingerprint}` : "";
  page.facts.textContent = `${sized(data.length)}${key}`;
  if (type) page.shown.append(shownBy(page.download.href, type));
  if (text !== undefined) page.shown.append(textBlock(text));
  page.result.hidden = false;
  page.result.focus();
}

function shownBy(address: string, type: string): HTMLElement {
  if (type.startsWith("audio/")) {
    const player = document.createElement("audio");
    player.src = address;
    player.controls = true;
    return player;
  }
  const image = document.createElement("img");
  image.src = address;
  image.alt = "The picture that the message is";
  return image;
}

function textBlock(text: string): HTMLElement {
  const block = document.createElement("pre");
  block.textContent = text;
  block.tabIndex = 0;
  block.setAttribute("aria-label", "The text of the message");
  return block;
}

begin();
