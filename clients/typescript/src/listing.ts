import type { PageOf } from "./contract.js";

/**
 * A list of the API. `await` gives its first page; `for await` goes through all items, and asks for each
 * page when it comes to it. Nothing is asked for before either.
 */
export class Listing<Item, Page extends PageOf<Item>> implements PromiseLike<Page>, AsyncIterable<Item> {
  readonly #page: (after?: string) => Promise<Page>;

  constructor(page: (after?: string) => Promise<Page>) {
    this.#page = page;
  }

  then<A = Page, B = never>(
    fulfilled?: ((page: Page) => A | PromiseLike<A>) | null,
    rejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#page().then(fulfilled, rejected);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Item, void, undefined> {
    let after: string | undefined;
    for (;;) {
      const page = await this.#page(after);
      yield* page.data;
      if (!page.has_more) return;
      if (page.next_cursor === null || page.next_cursor === after) throw new Error("the list does not go on");
      after = page.next_cursor;
    }
  }
}
