//! What selecting windows does per unit, in plain code that any processor runs.
//!
//! [`Lanes`] is implemented twice, here and with the vector instructions of x86-64 (`avx2`). The results
//! are the same.

use super::order::orders_of_bytes;

/// Operations on many orders at a time.
pub trait Lanes {
    /// Set `orders` to those of the grams of `gram` bytes at 0, 1, 2 … of `symbols`.
    fn orders_of_bytes(symbols: &[u8], gram: usize, orders: &mut [u32]);

    /// Return the place of the first order below `bound`.
    fn first_below(orders: &[u32], bound: u32) -> Option<usize>;

    /// Return the place of the smallest order, the first of several; there must be an order.
    fn smallest(orders: &[u32]) -> usize;
}

/// Plain code, in a form that compilers turn into vector instructions where they are always there.
pub struct Portable;

/// Orders that are looked at together.
const GROUP: usize = 16;

/// Return the place of the first order that `is_wanted` accepts.
#[inline(always)]
fn first(orders: &[u32], is_wanted: impl Fn(u32) -> bool) -> Option<usize> {
    let (groups, rest) = orders.as_chunks::<GROUP>();
    for (i, group) in groups.iter().enumerate() {
        if group.iter().fold(false, |any, &order| any | is_wanted(order)) {
            return group.iter().position(|&order| is_wanted(order)).map(|at| GROUP * i + at);
        }
    }
    rest.iter().position(|&order| is_wanted(order)).map(|at| GROUP * groups.len() + at)
}

impl Lanes for Portable {
    #[inline(always)]
    fn orders_of_bytes(symbols: &[u8], gram: usize, orders: &mut [u32]) {
        orders_of_bytes(symbols, gram, orders);
    }

    #[inline(always)]
    fn first_below(orders: &[u32], bound: u32) -> Option<usize> {
        first(orders, |order| order < bound)
    }

    #[inline(always)]
    fn smallest(orders: &[u32]) -> usize {
        let least = orders.iter().copied().fold(u32::MAX, u32::min);
        first(orders, |order| order == least).expect("an order")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn orders_are_found_by_their_size(
            orders in prop::collection::vec(prop_oneof![0u32..4, any::<u32>()], 1..100), bound: u32,
        ) {
            let bound = if bound % 2 == 0 { bound } else { orders[0] };
            prop_assert_eq!(Portable::first_below(&orders, bound), orders.iter().position(|&o| o < bound));
            let least = *orders.iter().min().expect("an order");
            prop_assert_eq!(Portable::smallest(&orders), orders.iter().position(|&o| o == least).expect("there"));
        }
    }
}
