/**
 * Extents of rows in slabs: the rows of one subject lie side by side in one extent, which is changed for a longer one as it fills. Short extents are of
 * size classes and lie in pages of one class; long ones are runs of their own.
 *
 * A class whose subjects have grown out of it would keep its pages for a few that stayed. So whenever too much of a class is free, the emptiest of some
 * pages is cleared, a few extents at a time, and the page is free for any class.
 */
import { BlockSpace } from "./block-space.ts";
import { RunSpace } from "./run-space.ts";

/** All places and sizes of short extents are multiples of it. */
const quadRows = 4;
const unitRows = 128;
const pageRows = 2048;
const pageUnits = pageRows / unitRows;
/** Owners of a slab of them: 256 KiB. */
const ownersShift = 16;
const shortMax = 512;
/** By how much an extent grows: a twentieth of the rows stay empty for it, and each row is copied five times. */
const growth = 1.125;

/** A class may have this share of its extents free, and two pages. */
const freeShare = 1 / 16;
const movesPerGive = 4;
const pagesLooked = 16;

/** Each about an eighth more than the one before, and filled out to what divides a page evenly. */
const classRows = listClasses();
/** The smallest class that holds a number of quads. */
const classOfQuads = indexClasses();

/** Rows that an extent for at least `rows` rows has room for. */
export function fitExtent(rows: number): number {
  if (rows <= shortMax) return classRows[classOfQuads[Math.ceil(rows / quadRows)]!]!;
  return Math.ceil(rows / unitRows) * unitRows;
}

/** What an extent of `capacity` rows (0 for none) that is full is changed for: the next class, or an eighth more. */
export function growExtent(capacity: number): number {
  return fitExtent(capacity < shortMax ? capacity + 1 : Math.floor(capacity * growth));
}

type OwnerSpace = BlockSpace<Int32Array>;

type ExtentClass = {
  readonly rows: number;
  readonly perPage: number;
  extents: number;
  free: number;
  /** The first page with a free extent, -1 for none; the others behind it. */
  head: number;
  /** The page that is being cleared, -1 for none: out of the list, so that nothing is put there. */
  victim: number;
  /** How many extents of it were looked at. */
  cleared: number;
};

/** Places of extents: row numbers through all slabs. */
export class ExtentSpace {
  readonly #runs: RunSpace;
  readonly #move: (owner: number, from: number, to: number) => void;
  readonly #classes: ExtentClass[];
  /** By page: everything about it and its free extents. */
  readonly #pages: PageBooks[] = [];
  readonly #slabPages: number;
  readonly #owners: OwnerSpace = new BlockSpace(ownersShift, (length) => new Int32Array(length));

  /**
   * `move` is called when the extent of an owner is put elsewhere: it copies the rows and notes the new place.
   *
   * Shapes: slabs of `slabRows` rows, a multiple of 2,048.
   */
  constructor(slabRows: number, move: (owner: number, from: number, to: number) => void) {
    this.#slabPages = slabRows / pageRows;
    this.#runs = new RunSpace(slabRows / unitRows);
    this.#move = move;
    this.#classes = classRows.map((rows) => ({
      rows,
      perPage: Math.floor(pageRows / rows),
      extents: 0,
      free: 0,
      head: -1,
      victim: -1,
      cleared: 0,
    }));
  }

  /** How many slabs there must be. */
  slabs(): number {
    return this.#runs.slabs();
  }

  /** Of the books alone: the owners of extents. */
  bytes(): number {
    return this.#owners.bytes();
  }

  /** An extent of `capacity` rows, as `fitExtent` or `growExtent` gave it. */
  take(capacity: number, owner: number): number {
    if (capacity > shortMax) {
      const place = this.#runs.take(capacity / unitRows, 1) * unitRows;
      this.#addBooks();
      return place;
    }
    const number = classOfQuads[capacity / quadRows]!;
    return this.#takeShort(this.#classes[number]!, number, owner);
  }

  /** Gives an extent back. Others may be moved by it. */
  give(place: number, capacity: number): void {
    if (capacity > shortMax) {
      this.#runs.give(place / unitRows);
      return;
    }
    const kind = this.#classes[classOfQuads[capacity / quadRows]!]!;
    this.#giveShort(kind, place);
    if (kind.free > 2 * kind.perPage + kind.extents * freeShare) this.#tidy(kind);
  }

  #takeShort(kind: ExtentClass, number: number, owner: number): number {
    const page = kind.head >= 0 ? kind.head : this.#addPage(kind, number);
    const books = this.#books(page);
    const at = page % this.#slabPages;
    const extent = books.take(at, this.#owners, owner);
    if (books.live[at] === kind.perPage) this.#unlink(kind, page);
    kind.free--;
    return page * pageRows + extent * kind.rows;
  }

  #giveShort(kind: ExtentClass, place: number): void {
    const page = Math.floor(place / pageRows);
    const books = this.#books(page);
    const at = page % this.#slabPages;
    if (books.live[at] === kind.perPage) this.#link(kind, page);
    books.give(at, this.#owners, (place - page * pageRows) / kind.rows);
    kind.free++;
    if (books.live[at] === 0) this.#dropPage(kind, page);
  }

  #addPage(kind: ExtentClass, number: number): number {
    const page = (this.#runs.take(pageUnits, pageUnits) * unitRows) / pageRows;
    this.#addBooks();
    this.#books(page).open(page % this.#slabPages, number, this.#owners.take(kind.perPage));
    kind.extents += kind.perPage;
    kind.free += kind.perPage;
    this.#link(kind, page);
    return page;
  }

  #dropPage(kind: ExtentClass, page: number): void {
    if (page === kind.victim) kind.victim = -1;
    else this.#unlink(kind, page);
    kind.extents -= kind.perPage;
    kind.free -= kind.perPage;
    this.#owners.give(this.#books(page).owners[page % this.#slabPages]!, kind.perPage);
    this.#runs.give(page * pageUnits);
  }

  /** Moves some extents out of the page that is being cleared. */
  #tidy(kind: ExtentClass): void {
    if (kind.victim < 0 && !this.#chooseVictim(kind)) return;
    const page = kind.victim;
    const books = this.#books(page);
    const at = page % this.#slabPages;
    for (let moves = 0; moves < movesPerGive && kind.victim === page; kind.cleared++) {
      const owner = books.ownerOf(at, this.#owners, kind.cleared);
      if (owner < 0) continue;
      const from = page * pageRows + kind.cleared * kind.rows;
      const to = this.#takeShort(kind, books.kind[at]!, owner);
      this.#move(owner, from, to);
      this.#giveShort(kind, from);
      moves++;
    }
  }

  /** The emptiest of the first pages in the list; the others have to have room for its extents. */
  #chooseVictim(kind: ExtentClass): boolean {
    let emptiest = -1;
    let fewest = kind.perPage;
    let page = kind.head;
    for (let looked = 0; page >= 0 && looked < pagesLooked; looked++) {
      const live = this.#books(page).live[page % this.#slabPages]!;
      if (live < fewest) {
        fewest = live;
        emptiest = page;
      }
      page = this.#books(page).next[page % this.#slabPages]!;
    }
    if (emptiest < 0) return false;
    this.#unlink(kind, emptiest);
    kind.victim = emptiest;
    kind.cleared = 0;
    return true;
  }

  #link(kind: ExtentClass, page: number): void {
    const books = this.#books(page);
    const at = page % this.#slabPages;
    books.next[at] = kind.head;
    books.before[at] = -1;
    if (kind.head >= 0) this.#books(kind.head).before[kind.head % this.#slabPages] = page;
    kind.head = page;
  }

  #unlink(kind: ExtentClass, page: number): void {
    const books = this.#books(page);
    const next = books.next[page % this.#slabPages]!;
    const before = books.before[page % this.#slabPages]!;
    if (next >= 0) this.#books(next).before[next % this.#slabPages] = before;
    if (before >= 0) this.#books(before).next[before % this.#slabPages] = next;
    else kind.head = next;
  }

  #books(page: number): PageBooks {
    return this.#pages[Math.floor(page / this.#slabPages)]!;
  }

  #addBooks(): void {
    while (this.#pages.length < this.#runs.slabs()) this.#pages.push(new PageBooks(this.#slabPages));
  }
}

/**
 * The pages of one slab. What is known of the extents of a page, by their number in it, lies in a block that is taken when the page is opened: for each
 * its owner + 1 where taken; below zero where given back, for the next free one of the page.
 */
class PageBooks {
  readonly kind: Uint8Array;
  readonly live: Uint16Array;
  readonly next: Int32Array;
  readonly before: Int32Array;
  /** Where the block is. */
  readonly owners: Uint32Array;
  /** The first free extent that was taken before, -1 for none. */
  readonly #free: Int32Array;
  /** How many extents were ever taken since the page was opened. */
  readonly #used: Uint16Array;

  constructor(pages: number) {
    this.kind = new Uint8Array(pages);
    this.live = new Uint16Array(pages);
    this.next = new Int32Array(pages);
    this.before = new Int32Array(pages);
    this.owners = new Uint32Array(pages);
    this.#free = new Int32Array(pages);
    this.#used = new Uint16Array(pages);
  }

  open(at: number, kind: number, owners: number): void {
    this.kind[at] = kind;
    this.live[at] = 0;
    this.owners[at] = owners;
    this.#free[at] = -1;
    this.#used[at] = 0;
  }

  /** The number of an extent that is taken for an owner. */
  take(at: number, { slabs, shift, mask }: OwnerSpace, owner: number): number {
    const slab = slabs[this.owners[at]! >>> shift]!;
    const start = this.owners[at]! & mask;
    this.live[at]!++;
    let extent = this.#free[at]!;
    if (extent < 0) extent = this.#used[at]!++;
    else this.#free[at] = -slab[start + extent]! - 2;
    slab[start + extent] = owner + 1;
    return extent;
  }

  give(at: number, { slabs, shift, mask }: OwnerSpace, extent: number): void {
    this.live[at]!--;
    slabs[this.owners[at]! >>> shift]![(this.owners[at]! & mask) + extent] = -this.#free[at]! - 2;
    this.#free[at] = extent;
  }

  /** -1 for a free extent. */
  ownerOf(at: number, { slabs, shift, mask }: OwnerSpace, extent: number): number {
    if (extent >= this.#used[at]!) return -1;
    const owner = slabs[this.owners[at]! >>> shift]![(this.owners[at]! & mask) + extent]!;
    return owner > 0 ? owner - 1 : -1;
  }
}

function listClasses(): readonly number[] {
  const classes: number[] = [];
  for (let rows = quadRows; rows <= shortMax; ) {
    classes.push(rows);
    const wanted = Math.max(rows + quadRows, Math.round((rows * growth) / quadRows) * quadRows);
    const perPage = Math.floor(pageRows / wanted);
    rows = Math.floor(pageRows / perPage / quadRows) * quadRows;
  }
  return classes;
}

function indexClasses(): Uint8Array {
  const index = new Uint8Array(shortMax / quadRows + 1);
  for (let quads = 0; quads < index.length; quads++) {
    const number = classRows.findIndex((rows) => rows >= quads * quadRows);
    index[quads] = number < 0 ? classRows.length - 1 : number;
  }
  return index;
}
