//! An ordered map whose copies share what they have in common: a snapshot costs one pointer, a change after it the
//! nodes on one path.

use std::cmp::Ordering;
use std::sync::Arc;

type Link<K, V> = Option<Arc<Node<K, V>>>;

/// A treap: a search tree by key that is kept shallow by being a heap by a pseudo-random priority.
#[derive(Clone)]
pub(super) struct Tree<K, V> {
    root: Link<K, V>,
    drawn: u64,
}

#[derive(Clone)]
struct Node<K, V> {
    key: K,
    value: V,
    priority: u64,
    left: Link<K, V>,
    right: Link<K, V>,
}

impl<K, V> Default for Tree<K, V> {
    fn default() -> Self {
        Self { root: None, drawn: 0 }
    }
}

impl<K: Ord + Clone, V: Clone> Tree<K, V> {
    pub(super) fn get(&self, key: &K) -> Option<&V> {
        let mut link = &self.root;
        while let Some(node) = link {
            link = match key.cmp(&node.key) {
                Ordering::Less => &node.left,
                Ordering::Greater => &node.right,
                Ordering::Equal => return Some(&node.value),
            };
        }
        None
    }

    /// Puts `value` under `key`, in place of the one that may be there.
    pub(super) fn insert(&mut self, key: K, value: V) {
        self.drawn = self.drawn.wrapping_add(1);
        insert(
            &mut self.root,
            Node {
                key,
                value,
                priority: mix(self.drawn),
                left: None,
                right: None,
            },
        );
    }

    pub(super) fn remove(&mut self, key: &K) -> Option<V> {
        // A miss must not copy what a snapshot shares.
        self.get(key)?;
        remove(&mut self.root, key)
    }

    /// All entries in order, or those after `key`.
    pub(super) fn after(&self, key: Option<&K>) -> Iter<'_, K, V> {
        let mut iter = Iter { path: Vec::new() };
        let mut link = &self.root;
        while let Some(node) = link {
            if key.is_some_and(|key| node.key <= *key) {
                link = &node.right;
            } else {
                iter.path.push(node);
                link = &node.left;
            }
        }
        iter
    }
}

/// Entries in the order of their keys.
pub(super) struct Iter<'t, K, V> {
    path: Vec<&'t Node<K, V>>,
}

impl<'t, K, V> Iterator for Iter<'t, K, V> {
    type Item = (&'t K, &'t V);

    fn next(&mut self) -> Option<Self::Item> {
        let node = self.path.pop()?;
        let mut link = &node.right;
        while let Some(below) = link {
            self.path.push(below);
            link = &below.left;
        }
        Some((&node.key, &node.value))
    }
}

fn insert<K: Ord + Clone, V: Clone>(link: &mut Link<K, V>, new: Node<K, V>) {
    let Some(shared) = link else {
        *link = Some(Arc::new(new));
        return;
    };
    let node = Arc::make_mut(shared);
    match new.key.cmp(&node.key) {
        Ordering::Equal => node.value = new.value,
        Ordering::Less => {
            insert(&mut node.left, new);
            if node
                .left
                .as_ref()
                .is_some_and(|left| left.priority > node.priority)
            {
                rotate(link, |node| &mut node.left, |node| &mut node.right);
            }
        }
        Ordering::Greater => {
            insert(&mut node.right, new);
            if node
                .right
                .as_ref()
                .is_some_and(|right| right.priority > node.priority)
            {
                rotate(link, |node| &mut node.right, |node| &mut node.left);
            }
        }
    }
}

/// Lifts the child on the side `from` above its parent.
fn rotate<K: Clone, V: Clone>(
    link: &mut Link<K, V>,
    from: fn(&mut Node<K, V>) -> &mut Link<K, V>,
    to: fn(&mut Node<K, V>) -> &mut Link<K, V>,
) {
    let Some(mut parent) = link.take() else { return };
    let Some(mut child) = from(Arc::make_mut(&mut parent)).take() else {
        *link = Some(parent);
        return;
    };
    let inner = to(Arc::make_mut(&mut child)).take();
    *from(Arc::make_mut(&mut parent)) = inner;
    *to(Arc::make_mut(&mut child)) = Some(parent);
    *link = Some(child);
}

fn remove<K: Ord + Clone, V: Clone>(link: &mut Link<K, V>, key: &K) -> Option<V> {
    let node = Arc::make_mut(link.as_mut()?);
    match key.cmp(&node.key) {
        Ordering::Less => remove(&mut node.left, key),
        Ordering::Greater => remove(&mut node.right, key),
        Ordering::Equal => {
            let value = node.value.clone();
            *link = merge(node.left.take(), node.right.take());
            Some(value)
        }
    }
}

/// One tree of two, where every key of `left` comes before every key of `right`.
fn merge<K: Clone, V: Clone>(left: Link<K, V>, right: Link<K, V>) -> Link<K, V> {
    let (mut left, mut right) = match (left, right) {
        (None, link) | (link, None) => return link,
        (Some(left), Some(right)) => (left, right),
    };
    if left.priority > right.priority {
        let top = Arc::make_mut(&mut left);
        top.right = merge(top.right.take(), Some(right));
        Some(left)
    } else {
        let top = Arc::make_mut(&mut right);
        top.left = merge(Some(left), top.left.take());
        Some(right)
    }
}

/// The splitmix64 generator's output function: well spread, and the same in every run.
fn mix(number: u64) -> u64 {
    let mut bits = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn it_behaves_as_an_ordered_map_and_snapshots_keep_their_content() {
        let (mut tree, mut model) = (Tree::default(), BTreeMap::new());
        let mut snapshots = Vec::new();
        for step in 0..5_000_u64 {
            let key = mix(step) % 512;
            if mix(step ^ 0xABCD).is_multiple_of(3) {
                assert_eq!(tree.remove(&key), model.remove(&key));
            } else {
                tree.insert(key, step);
                model.insert(key, step);
            }
            if step % 500 == 0 {
                snapshots.push((tree.clone(), model.clone()));
            }
        }
        snapshots.push((tree, model));
        for (tree, model) in snapshots {
            assert!(tree.after(None).eq(model.iter()));
            assert!(tree.after(Some(&200)).eq(model.range(201..)));
            assert_eq!(tree.get(&77), model.get(&77));
        }
    }

    #[test]
    fn it_stays_shallow() {
        fn depth<K, V>(link: &Link<K, V>) -> usize {
            link.as_ref()
                .map_or(0, |node| 1 + depth(&node.left).max(depth(&node.right)))
        }
        let mut tree = Tree::default();
        (0..100_000).for_each(|key| tree.insert(key, ()));
        assert!(depth(&tree.root) < 64);
    }
}
