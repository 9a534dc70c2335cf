//! rayon's and filch's loops from one source: each is expanded twice, and only the prelude differs.

/// Implements [`OnRayon`](super::workload::OnRayon) and [`OnFilch`](super::workload::OnFilch) for workloads.
macro_rules! same_source {
    ($($workload:ty: |$this:ident, $state:ident| $body:expr;)+) => {
        mod on_rayon {
            use rayon::prelude::*;

            use super::*;

            $(impl $crate::workloads::workload::OnRayon for $workload {
                fn rayon(&$this, $state: &mut Self::State) -> Self::Output {
                    $body
                }
            })+
        }

        mod on_filch {
            use filch::prelude::*;

            use super::*;

            $(impl $crate::workloads::workload::OnFilch for $workload {
                fn filch(&$this, $state: &mut Self::State) -> Self::Output {
                    $body
                }
            })+
        }
    };
}
