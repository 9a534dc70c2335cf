//! ndarray: a step of heat flow by `Zip`, roots by `par_mapv_inplace`, row sums by `axis_iter().into_par_iter()`
//! and a fold over an array; each against plain loops over plain vectors. A task naps beside the last.

use ndarray::parallel::prelude::*;
use ndarray::{Array1, Array2, Axis, Zip, s};
use programs::crew::Crew;
use programs::input::Numbers;
use programs::pulse;

const ROWS: usize = 300;
const COLUMNS: usize = 400;

fn main() {
    programs::run("ndarray", || {
        let mut numbers = Numbers::new(1);
        let plain: Vec<Vec<f64>> =
            (0..ROWS).map(|_| (0..COLUMNS).map(|_| numbers.below(1_000) as f64).collect()).collect();
        let array = Array2::from_shape_fn((ROWS, COLUMNS), |(row, column)| plain[row][column]);
        let crew = Crew::new();

        // Each inner cell becomes the mean of its four neighbours.
        let (rows, columns) = (1..ROWS - 1, 1..COLUMNS - 1);
        let (up, down) = (array.slice(s![..ROWS - 2, columns.clone()]), array.slice(s![2.., columns]));
        let (left, right) = (array.slice(s![rows.clone(), ..COLUMNS - 2]), array.slice(s![rows, 2..]));
        let stepped = Zip::from(up).and(down).and(left).and(right).par_map_collect(|up, down, left, right| {
            crew.meet();
            (up + down + left + right) / 4.0
        });
        assert_eq!(stepped.dim(), (ROWS - 2, COLUMNS - 2));
        for ((row, column), cell) in stepped.indexed_iter() {
            let (row, column) = (row + 1, column + 1);
            let vertical = plain[row - 1][column] + plain[row + 1][column];
            assert_eq!(*cell, (vertical + plain[row][column - 1] + plain[row][column + 1]) / 4.0);
        }

        let mut roots = array.clone();
        roots.par_mapv_inplace(|cell| {
            crew.meet();
            cell.sqrt()
        });
        assert!(roots.indexed_iter().all(|((row, column), root)| *root == plain[row][column].sqrt()));

        // Whole numbers, so that sums do not depend on their order.
        let sums: Vec<f64> = array.axis_iter(Axis(0)).into_par_iter().map(|row| row.sum()).collect();
        assert_eq!(sums, plain.iter().map(|row| row.iter().sum::<f64>()).collect::<Vec<_>>());
        let total = Zip::from(&array).par_fold(|| 0.0, |sum, cell| sum + cell, |a, b| a + b);
        assert_eq!(total, sums.iter().sum::<f64>());

        let mut product = Array1::<f64>::zeros(ROWS);
        let quick = pulse::stays_quick(|| {
            Zip::from(&mut product).and(array.rows()).par_for_each(|sum, row| {
                *sum = (0..40).map(|power| row.fold(0.0, |sum, cell| sum + cell * f64::from(power))).sum();
            });
        });
        let plainly = plain.iter().map(|row| (0..40).map(|power| row.iter().sum::<f64>() * f64::from(power)).sum());
        assert_eq!(product.to_vec(), plainly.collect::<Vec<f64>>());
        format!("par_map_collect, par_mapv_inplace, par_fold, rows; {} workers; {quick}", crew.size())
    });
}
