//! petgraph: all shortest paths by `parallel_johnson`, ranks by `parallel_page_rank`, and edges of a `GraphMap` by
//! `par_all_edges`; against Floyd and Warshall's three loops, and a power iteration over a matrix.

use petgraph::algo::{page_rank::parallel_page_rank, parallel_johnson};
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::graphmap::UnGraphMap;
use petgraph::visit::EdgeRef;
use programs::crew::Crew;
use programs::input::Numbers;
use programs::pool;
use rayon::prelude::*;

const NODES: usize = 120;
const EDGES: usize = 900;
const DAMPING: f64 = 0.85;
const STEPS: usize = 12;

/// The distances between all nodes, where there is a way.
fn floyd_warshall(edges: &[(usize, usize, i64)]) -> Vec<Vec<Option<i64>>> {
    let mut far = vec![vec![None::<i64>; NODES]; NODES];
    (0..NODES).for_each(|node| far[node][node] = Some(0));
    for &(a, b, cost) in edges {
        far[a][b] = Some(far[a][b].map_or(cost, |known| known.min(cost)));
    }
    for via in 0..NODES {
        for a in 0..NODES {
            for b in 0..NODES {
                let detour = far[a][via].zip(far[via][b]).map(|(first, second)| first + second);
                far[a][b] = far[a][b].into_iter().chain(detour).min();
            }
        }
    }
    far
}

/// The ranks after the steps, by petgraph's rule: a node's rank comes from those that point to it, in equal parts;
/// from those that point nowhere, and a little from all others, to everybody alike.
fn ranks(edges: &[(usize, usize, i64)]) -> Vec<f64> {
    let mut points = vec![vec![false; NODES]; NODES];
    let mut degree = [0.0; NODES];
    for &(a, b, _) in edges {
        points[a][b] = true;
        degree[a] += 1.0;
    }
    let part = |from: usize, to: usize, rank: f64| match (points[from][to], degree[from]) {
        (true, degree) => DAMPING * rank / degree,
        (false, 0.0) => DAMPING * rank / NODES as f64,
        (false, _) => (1.0 - DAMPING) * rank / NODES as f64,
    };
    let mut ranks = vec![1.0 / NODES as f64; NODES];
    for _ in 0..STEPS {
        let next: Vec<f64> =
            (0..NODES).map(|to| ranks.iter().enumerate().map(|(from, rank)| part(from, to, *rank)).sum()).collect();
        let sum: f64 = next.iter().sum();
        ranks = next.iter().map(|rank| rank / sum).collect();
    }
    ranks
}

fn main() {
    programs::run("petgraph", || {
        // Costs are a height that is lost or gained and a toll: some are negative, but no way round is.
        let mut numbers = Numbers::new(5);
        let heights: Vec<i64> = (0..NODES).map(|_| numbers.below(50) as i64).collect();
        let mut edges = Vec::new();
        for _ in 0..EDGES {
            let (a, b) = (numbers.below(NODES as u64) as usize, numbers.below(NODES as u64) as usize);
            edges.push((a, b, heights[b] - heights[a] + numbers.below(20) as i64));
        }
        assert!(edges.iter().any(|(_, _, cost)| *cost < 0));
        let mut graph = DiGraph::<(), i64>::new();
        for _ in 0..NODES {
            graph.add_node(());
        }
        for &(a, b, cost) in &edges {
            graph.add_edge(NodeIndex::new(a), NodeIndex::new(b), cost);
        }

        // Johnson looks at all edges on the calling thread first.
        let crew = Crew::new();
        let far = parallel_johnson(&graph, |edge| {
            if pool::index().is_some() {
                crew.meet();
            }
            *edge.weight()
        })
        .expect("no negative cycle");
        let expected = floyd_warshall(&edges);
        for (a, row) in expected.iter().enumerate() {
            for (b, distance) in row.iter().enumerate() {
                assert_eq!(far.get(&(NodeIndex::new(a), NodeIndex::new(b))), distance.as_ref(), "from {a} to {b}");
            }
        }

        let found = parallel_page_rank(&graph, DAMPING, STEPS, Some(0.0));
        for (found, expected) in found.iter().zip(ranks(&edges)) {
            assert!((found - expected).abs() < 1e-9, "{found} is not {expected}");
        }

        let mut map = UnGraphMap::<u32, i64>::new();
        graph.edge_references().for_each(|edge| {
            let (a, b) = (edge.source().index() as u32, edge.target().index() as u32);
            let before = map.edge_weight(a, b).copied().unwrap_or(0);
            map.add_edge(a, b, before + edge.weight());
        });
        map.par_all_edges_mut().for_each(|(a, b, cost)| *cost *= i64::from(a + b));
        let sum: i64 = map.par_all_edges().map(|(_, _, cost)| *cost).sum();
        assert_eq!(sum, edges.iter().map(|(a, b, cost)| cost * (a + b) as i64).sum::<i64>());
        assert_eq!(map.par_nodes().count(), map.nodes().count());
        format!("parallel_johnson, parallel_page_rank, GraphMap; {} workers", crew.size())
    });
}
