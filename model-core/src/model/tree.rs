//! `subtree` and `ancestors`: documents that refer to documents of their own model.

use std::collections::HashMap;
use std::fmt;
use std::future::IntoFuture;

use futures_util::future::{BoxFuture, FutureExt};

use super::unit::Reader;
use crate::engine::{self, Way};
use crate::error::{Error, Result};
use crate::policy::{BaseModel, ContextFor};
use crate::value::{Id, IdValue, Identified};

/// A way from a document to those below it: awaited, it gives the [`Tree`]; none if the document is not there.
#[must_use = "a query does nothing until it is awaited"]
pub struct Subtree<'a, M: BaseModel> {
    ctx: &'a ContextFor<M>,
    root: &'a Id<M>,
    path: &'static str,
    depth: Option<u32>,
}

impl<'a, M: BaseModel + Identified> Subtree<'a, M> {
    pub(super) fn new(ctx: &'a ContextFor<M>, root: &'a Id<M>, path: &'static str) -> Self {
        Self {
            ctx,
            root,
            path,
            depth: None,
        }
    }

    /// At most that many levels below the document.
    pub fn depth(mut self, levels: u32) -> Self {
        self.depth = Some(levels);
        self
    }

    async fn run(self) -> Result<Option<Tree<M>>> {
        let named = |error: Error| error.at_model(M::NAME, "subtree");
        let mut root = Reader::<M>::new(self.ctx);
        engine::get(&mut root, self.root.value()).await.map_err(named)?;
        let Some(root) = root.into_documents().pop() else {
            return Ok(None);
        };
        let mut reader = Reader::<M>::new(self.ctx);
        let links = engine::walk(&mut reader, self.root.value(), self.path, Way::Down, self.depth)
            .await
            .map_err(named)?;
        Ok(Some(Tree::grow(root, reader.into_documents(), links)))
    }
}

impl<M: BaseModel> fmt::Debug for Subtree<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subtree")
            .field("model", &M::NAME)
            .field("root", &self.root)
            .finish_non_exhaustive()
    }
}

impl<'a, M: BaseModel + Identified> IntoFuture for Subtree<'a, M> {
    type Output = Result<Option<Tree<M>>>;
    type IntoFuture = BoxFuture<'a, Result<Option<Tree<M>>>>;

    fn into_future(self) -> Self::IntoFuture {
        self.run().boxed()
    }
}

/// A document and those below it that the actor may read: a branch ends where a document may not be read.
pub struct Tree<M> {
    /// Level by level, the root first; siblings in the order of their ids.
    nodes: Vec<Node<M>>,
    places: HashMap<IdValue, usize>,
}

struct Node<M> {
    document: M,
    depth: u32,
    children: Vec<usize>,
}

impl<M: BaseModel + Identified> Tree<M> {
    /// Puts what was reached below the root; what hangs on nothing that is there falls away.
    fn grow(root: M, reached: Vec<M>, links: Vec<Vec<IdValue>>) -> Self {
        let mut waiting: HashMap<IdValue, Vec<usize>> = HashMap::new();
        for (place, parents) in links.into_iter().enumerate() {
            for parent in parents {
                waiting.entry(parent).or_default().push(place);
            }
        }
        let mut reached: Vec<Option<M>> = reached.into_iter().map(Some).collect();
        let mut places = HashMap::from([(root.id().value().clone(), 0)]);
        let mut nodes = vec![Node {
            document: root,
            depth: 0,
            children: Vec::new(),
        }];
        let mut next = 0;
        while let Some(node) = nodes.get(next) {
            let depth = node.depth + 1;
            let here = waiting.remove(node.document.id().value()).unwrap_or_default();
            let mut children: Vec<M> = here
                .into_iter()
                .filter_map(|place| reached.get_mut(place).and_then(Option::take))
                // A circle ends where it began.
                .filter(|child| !places.contains_key(child.id().value()))
                .collect();
            children.sort_by(|a, b| a.id().cmp(b.id()));
            for document in children {
                let place = nodes.len();
                places.insert(document.id().value().clone(), place);
                nodes.push(Node {
                    document,
                    depth,
                    children: Vec::new(),
                });
                if let Some(node) = nodes.get_mut(next) {
                    node.children.push(place);
                }
            }
            next += 1;
        }
        Self { nodes, places }
    }

    fn node(&self, id: &Id<M>) -> Option<&Node<M>> {
        let place = self.places.get(id.value()).copied();
        place.and_then(|place| self.nodes.get(place))
    }

    /// The document with this id, if it is in the tree.
    pub fn get(&self, id: &Id<M>) -> Option<&M> {
        self.node(id).map(|node| &node.document)
    }

    /// The documents right below this one, in the order of their ids.
    pub fn children(&self, id: &Id<M>) -> Vec<&M> {
        let places = self.node(id).map_or(&[][..], |node| node.children.as_slice());
        let nodes = places.iter().filter_map(|place| self.nodes.get(*place));
        nodes.map(|node| &node.document).collect()
    }

    /// How many levels a document is below the root.
    pub fn depth(&self, id: &Id<M>) -> Option<u32> {
        self.node(id).map(|node| node.depth)
    }
}

impl<M: BaseModel> Tree<M> {
    /// The documents level by level, the root first; each after the one that it refers to.
    pub fn documents(&self) -> impl Iterator<Item = &M> {
        self.nodes.iter().map(|node| &node.document)
    }

    /// The same, to keep.
    pub fn into_documents(self) -> Vec<M> {
        self.nodes.into_iter().map(|node| node.document).collect()
    }
}

impl<M: BaseModel> fmt::Debug for Tree<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.documents()).finish()
    }
}

/// A way from a document to those above it: awaited, it gives them, the nearest first; none if the document is not there.
#[must_use = "a query does nothing until it is awaited"]
pub struct Ancestors<'a, M: BaseModel>(Subtree<'a, M>);

impl<'a, M: BaseModel + Identified> Ancestors<'a, M> {
    pub(super) fn new(ctx: &'a ContextFor<M>, from: &'a Id<M>, path: &'static str) -> Self {
        Self(Subtree::new(ctx, from, path))
    }

    /// At most that many levels above the document.
    pub fn depth(self, levels: u32) -> Self {
        Self(self.0.depth(levels))
    }

    async fn run(self) -> Result<Vec<M>> {
        let way = self.0;
        let mut reader = Reader::<M>::new(way.ctx);
        // The document itself is the first step.
        let depth = way.depth.map(|depth| depth.saturating_add(1));
        let links = engine::walk(&mut reader, way.root.value(), way.path, Way::Up, depth)
            .await
            .map_err(|error| error.at_model(M::NAME, "ancestors"))?;
        let reached = reader.into_documents().into_iter().zip(links);
        let mut reached: HashMap<IdValue, (M, Vec<IdValue>)> = reached
            .map(|(document, links)| (document.id().value().clone(), (document, links)))
            .collect();
        let mut above = Vec::new();
        let mut level = vec![way.root.value().clone()];
        // A document that may not be read hides what is above it.
        while !level.is_empty() {
            let here: Vec<_> = level.into_iter().filter_map(|id| reached.remove(&id)).collect();
            level = here.iter().flat_map(|(_, links)| links.clone()).collect();
            above.extend(here.into_iter().map(|(document, _)| document));
        }
        if !above.is_empty() {
            above.remove(0);
        }
        Ok(above)
    }
}

impl<M: BaseModel> fmt::Debug for Ancestors<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ancestors")
            .field("model", &M::NAME)
            .field("from", &self.0.root)
            .finish_non_exhaustive()
    }
}

impl<'a, M: BaseModel + Identified> IntoFuture for Ancestors<'a, M> {
    type Output = Result<Vec<M>>;
    type IntoFuture = BoxFuture<'a, Result<Vec<M>>>;

    fn into_future(self) -> Self::IntoFuture {
        self.run().boxed()
    }
}
