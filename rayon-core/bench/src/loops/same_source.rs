//! Loops from the source that rayon's and filch's iterators have in common: here rayon's only.

use super::workload::{OnFilch, OnRayon, Workload};

/// Implements [`OnRayon`] for workloads.
macro_rules! same_source {
    ($($workload:ty: |$this:ident, $state:ident| $body:expr;)+) => {
        mod on_rayon {
            use rayon::prelude::*;

            use super::*;

            $(impl $crate::loops::workload::OnRayon for $workload {
                fn rayon(&$this, $state: &mut Self::State) -> Self::Output {
                    $body
                }
            })+
        }
    };
}

/// Where the files of workloads ask for filch's iterators, too, they mean the same loop; nobody runs it.
impl<W: OnRayon> OnFilch for W {
    fn filch(&self, state: &mut <Self as Workload>::State) -> <Self as Workload>::Output {
        self.rayon(state)
    }
}
