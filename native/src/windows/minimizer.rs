//! The mod-minimizer: which windows of a text its content chooses.
//!
//! Groot Koerkamp and Pibiri, *The mod-minimizer: a simple and efficient sampling algorithm for long
//! k-mers* (WABI 2024). A context is so many consecutive units that it has `span` windows; the place of its
//! smallest t-gram, modulo the span, says which of them is sampled. The choice never goes back from one
//! context to the next.
//!
//! What bounds it: the hashing of every unit's gram, and one mispredicted branch or two for each change of
//! the smallest gram. It stays the smallest until it leaves the context or a smaller one enters; the search
//! for the latter compares many orders at a time. Contexts of very many grams are followed with a queue
//! instead, so that no text takes more than a few steps a unit.

use std::collections::VecDeque;

#[cfg(target_arch = "x86_64")]
use super::avx2::Avx2;
use super::lanes::{Lanes, Portable};
use crate::interrupt::tick;

/// Grams whose orders are computed at a time.
const CHUNK: usize = 2048;
/// Grams of a context up to which a new smallest one is searched for among all of them.
const MAX_SEARCHED: usize = 1024;

/// The numbers that windows and span determine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Context {
    /// Windows in a context, w.
    pub span: usize,
    /// Units in a gram, t.
    pub gram: usize,
    /// Grams in a context.
    pub n_grams: usize,
}

impl Context {
    /// Return the context of windows of `width` units; a gram has at least `least_gram` units, and a window
    /// no fewer.
    pub fn new(width: usize, span: usize, least_gram: usize) -> Self {
        let gram = least_gram + (width - least_gram) % span;
        Self { span, gram, n_grams: span + width - gram }
    }

    /// Return about how many windows are sampled among `n_windows` of random text.
    pub fn expected(&self, n_windows: usize) -> usize {
        let per_period = 2 + (self.n_grams - self.span) / self.span;
        n_windows / (self.n_grams + 1) * per_period + per_period
    }
}

/// Where a text's grams come from, in order.
pub trait Grams {
    /// Set `orders` to those of the next grams.
    fn next_orders<L: Lanes>(&mut self, orders: &mut [u32]);
}

/// Call `f` with the first unit of every sampled window of a text with `n_grams` grams, in ascending order.
pub fn for_each_sampled(context: Context, n_grams: usize, grams: &mut impl Grams, f: impl FnMut(usize)) {
    if n_grams < context.n_grams {
        return;
    }
    if context.n_grams > MAX_SEARCHED {
        return follow_queue(context, n_grams, grams, f);
    }
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        return search_chunks(context, n_grams, grams, advance_avx2, f);
    }
    search_chunks(context, n_grams, grams, advance::<Portable>, f);
}

/// What advances a search: fills the list of orders up from a place on, and appends sampled windows.
type Advance<G> = fn(&mut Search, &mut G, usize, &mut Vec<usize>);

#[inline(always)]
fn advance<L: Lanes>(search: &mut Search, grams: &mut impl Grams, from: usize, sampled: &mut Vec<usize>) {
    grams.next_orders::<L>(&mut search.orders[from..]);
    search.advance::<L>(sampled);
}

/// [`advance`] with the vector instructions; the processor must have them.
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
fn advance_avx2(search: &mut Search, grams: &mut impl Grams, from: usize, sampled: &mut Vec<usize>) {
    #[target_feature(enable = "avx2")]
    fn compiled(search: &mut Search, grams: &mut impl Grams, from: usize, sampled: &mut Vec<usize>) {
        advance::<Avx2>(search, grams, from, sampled);
    }
    // SAFETY: `for_each_sampled` calls this only if the processor has AVX2.
    unsafe { compiled(search, grams, from, sampled) }
}

fn search_chunks<G: Grams>(
    context: Context,
    n_grams: usize,
    grams: &mut G,
    advance: Advance<G>,
    mut f: impl FnMut(usize),
) {
    let mut search = Search {
        samples: Samples::new(context),
        n_context: context.n_grams,
        n_contexts: n_grams + 1 - context.n_grams,
        orders: Vec::with_capacity(n_grams.min(CHUNK + context.n_grams)),
        base: 0,
        context: 0,
        smallest: None,
        searched: 0,
    };
    let mut sampled = Vec::new();
    let mut n_done = 0;
    while search.context < search.n_contexts {
        let from = search.forget();
        let n = CHUNK.min(n_grams - n_done);
        search.orders.resize(from + n, 0);
        advance(&mut search, grams, from, &mut sampled);
        n_done += n;
        tick(n);
        sampled.drain(..).for_each(&mut f);
    }
}

/// The sampled windows of consecutive contexts, each once.
struct Samples {
    span: usize,
    /// Whether places in a context are less than twice the span, as at the default: a division less.
    is_less_than_two_spans: bool,
    last: Option<usize>,
}

impl Samples {
    fn new(context: Context) -> Self {
        let Context { span, n_grams, .. } = context;
        Self { span, is_less_than_two_spans: n_grams <= 2 * span, last: None }
    }

    /// Call `f` with the new windows that the contexts `first` to `last` sample, whose smallest gram is
    /// at `smallest`.
    #[inline(always)]
    fn of(&mut self, first: usize, last: usize, smallest: usize, mut f: impl FnMut(usize)) {
        let place = smallest - first;
        let rest = if self.is_less_than_two_spans {
            place.min(place.wrapping_sub(self.span))
        } else {
            place % self.span
        };
        let mut window = first + rest;
        if self.last != Some(window) {
            f(window);
        }
        // While the gram stays, the window stays until the context begins behind it.
        while window < smallest && window < last {
            window += self.span;
            f(window);
        }
        self.last = Some(window);
    }
}

/// A search for the smallest gram of every context.
struct Search {
    samples: Samples,
    /// Grams in a context.
    n_context: usize,
    n_contexts: usize,
    /// The orders of the grams from `base` on.
    orders: Vec<u32>,
    base: usize,
    /// The first context whose windows are not given yet.
    context: usize,
    /// Its smallest gram, once all of its grams were there.
    smallest: Option<usize>,
    /// The first gram that was not compared with the smallest one.
    searched: usize,
}

impl Search {
    /// Drop the orders before the current context; return how many are left.
    fn forget(&mut self) -> usize {
        self.orders.drain(..self.context - self.base);
        self.base = self.context;
        self.orders.len()
    }

    /// Find the smallest grams as far as there are orders, and append the windows that they sample.
    #[inline(always)]
    fn advance<L: Lanes>(&mut self, sampled: &mut Vec<usize>) {
        let orders = &self.orders[..];
        let (base, available) = (self.base, self.base + orders.len());
        let mut smallest = match self.smallest {
            Some(smallest) => smallest,
            None if self.n_context > available => return,
            None => {
                self.searched = self.n_context;
                L::smallest(&orders[..self.n_context])
            }
        };
        loop {
            let last = smallest.min(self.n_contexts - 1);
            let after = last + self.n_context;
            let to = after.min(available);
            let order = orders[smallest - base];
            if let Some(at) = L::first_below(&orders[self.searched - base..to - base], order) {
                let smaller = self.searched + at;
                let next = smaller + 1 - self.n_context;
                self.samples.of(self.context, next - 1, smallest, |window| sampled.push(window));
                self.context = next;
                smallest = smaller;
                self.searched = smaller + 1;
                continue;
            }
            self.searched = to;
            let is_last = last + 1 == self.n_contexts;
            // The next context has one more gram than was looked at.
            if to < after || (!is_last && after == available) {
                break;
            }
            self.samples.of(self.context, last, smallest, |window| sampled.push(window));
            self.context = last + 1;
            if is_last {
                break;
            }
            // A repetition: the gram that follows the one that left is as small, and the first such.
            let next = &orders[self.context - base..][..self.n_context];
            let is_repeated = next[0] == order && next[self.n_context - 1] >= order;
            smallest = self.context + if is_repeated { 0 } else { L::smallest(next) };
            self.searched = after + 1;
        }
        self.smallest = Some(smallest);
    }
}

/// Do the same with a queue of the grams that may become the smallest.
fn follow_queue(context: Context, n_grams: usize, grams: &mut impl Grams, mut f: impl FnMut(usize)) {
    let mut samples = Samples::new(context);
    let mut queue = VecDeque::<(usize, u32)>::new();
    let mut orders = Vec::new();
    for first in (0..n_grams).step_by(CHUNK) {
        orders.resize(CHUNK.min(n_grams - first), 0);
        grams.next_orders::<Portable>(&mut orders);
        for (gram, &order) in (first..).zip(&orders) {
            while queue.back().is_some_and(|&(_, other)| other > order) {
                queue.pop_back();
            }
            queue.push_back((gram, order));
            let Some(context_start) = (gram + 1).checked_sub(context.n_grams) else { continue };
            if queue.front().is_some_and(|&(gram, _)| gram < context_start) {
                queue.pop_front();
            }
            let smallest = queue.front().expect("the last gram at least").0;
            samples.of(context_start, context_start, smallest, &mut f);
        }
        tick(4 * orders.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Orders that are given.
    struct Listed<'a>(&'a [u32]);

    impl Grams for Listed<'_> {
        fn next_orders<L: Lanes>(&mut self, orders: &mut [u32]) {
            let (next, after) = self.0.split_at(orders.len());
            orders.copy_from_slice(next);
            self.0 = after;
        }
    }

    type Sample = fn(Context, usize, &mut Listed, &mut dyn FnMut(usize));

    const WAYS: [Sample; 3] = [
        |context, n, grams, f| for_each_sampled(context, n, grams, f),
        |context, n, grams, f| search_chunks(context, n, grams, advance::<Portable>, f),
        |context, n, grams, f| follow_queue(context, n, grams, f),
    ];

    fn sampled(way: Sample, context: Context, orders: &[u32]) -> Vec<usize> {
        let mut sampled = Vec::new();
        if orders.len() >= context.n_grams {
            way(context, orders.len(), &mut Listed(orders), &mut |window| sampled.push(window));
        }
        sampled
    }

    /// The definition, context by context.
    fn slowly(context: Context, orders: &[u32]) -> Vec<usize> {
        let mut sampled: Vec<usize> = orders
            .windows(context.n_grams)
            .enumerate()
            .map(|(first, grams)| {
                let x = (0..grams.len()).min_by_key(|&i| grams[i]).expect("a gram");
                first + x % context.span
            })
            .collect();
        assert!(sampled.is_sorted());
        sampled.dedup();
        sampled
    }

    #[test]
    fn the_default_context_is_as_designed() {
        let context = Context::new(50, 42, 8);
        assert_eq!(context, Context { span: 42, gram: 8, n_grams: 84 });
        assert_eq!(context.expected(85_000), 3003);
    }

    #[test]
    fn texts_of_many_chunks_are_sampled_without_a_seam() {
        let mut state = 7u32;
        let mut random = || {
            state = state.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
            state >> 5
        };
        for orders in [
            (0..3 * CHUNK as u32 + 5).map(|_| random()).collect::<Vec<_>>(),
            vec![9; 2 * CHUNK + 3],
            (0..2 * CHUNK as u32 + 100).collect(),
            (0..2 * CHUNK as u32 + 100).rev().collect(),
            (0..3 * CHUNK as u32).map(|i| i % 61).collect(),
        ] {
            for (width, span) in [(50, 42), (20, 5), (13, 40), (300, 200), (1500, 90), (8, 1)] {
                let context = Context::new(width, span, 8);
                let expected = slowly(context, &orders);
                for way in WAYS {
                    assert_eq!(sampled(way, context, &orders), expected, "{context:?}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn windows_are_sampled_as_defined(
            orders in prop::collection::vec(prop_oneof![0u32..4, any::<u32>()], 0..300),
            width in 2usize..70,
            span in 1usize..70,
        ) {
            let context = Context::new(width, span, 2);
            let expected = if orders.len() < context.n_grams { Vec::new() } else { slowly(context, &orders) };
            for way in WAYS {
                prop_assert_eq!(&sampled(way, context, &orders), &expected);
            }
            let n_contexts = (orders.len() + 1).saturating_sub(context.n_grams);
            for first in 0..n_contexts {
                prop_assert!(expected.iter().any(|window| (first..first + span).contains(window)));
            }
        }
    }
}
