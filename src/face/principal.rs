//! Principal directions of many short vectors, by Jacobi's eigenvalue method:
//! slow and simple, and the same bits on every machine.

/// The `count` directions of greatest second moment about zero of `rows`
/// (`[row, N]`), strongest first, each of unit length with its largest entry
/// positive: `[count, N]`.
pub(crate) fn components<const N: usize>(rows: &[f32], count: usize) -> Vec<f64> {
    let mut moments = vec![[0f64; N]; N];
    for row in rows.chunks_exact(N) {
        for (i, line) in moments.iter_mut().enumerate() {
            let x = f64::from(row[i]);
            for (m, y) in line[i..].iter_mut().zip(&row[i..]) {
                *m += x * f64::from(*y);
            }
        }
    }
    for i in 1..N {
        let (above, rest) = moments.split_at_mut(i);
        for (m, line) in rest[0].iter_mut().zip(above) {
            *m = line[i];
        }
    }
    let (values, vectors) = eigen(moments);
    let mut order: Vec<usize> = (0..N).collect();
    order.sort_by(|&i, &j| values[j].total_cmp(&values[i]).then(i.cmp(&j)));
    order
        .into_iter()
        .take(count)
        .flat_map(|i| {
            let v = vectors[i];
            let largest = v
                .iter()
                .fold(0f64, |m, x| if x.abs() > m.abs() { *x } else { m });
            v.map(|x| if largest < 0.0 { -x } else { x })
        })
        .collect()
}

/// Eigenvalues and eigenvectors (one a row) of a symmetric matrix.
fn eigen<const N: usize>(mut a: Vec<[f64; N]>) -> (Vec<f64>, Vec<[f64; N]>) {
    let mut vectors = vec![[0f64; N]; N];
    for (i, v) in vectors.iter_mut().enumerate() {
        v[i] = 1.0;
    }
    let norm: f64 = a.iter().flatten().map(|x| x * x).sum();
    for _sweep in 0..60 {
        let off: f64 = a
            .iter()
            .enumerate()
            .flat_map(|(p, row)| &row[p + 1..])
            .map(|x| x * x)
            .sum();
        if off <= 1e-26 * norm {
            break;
        }
        for p in 0..N {
            for q in p + 1..N {
                rotate(&mut a, &mut vectors, p, q);
            }
        }
    }
    ((0..N).map(|i| a[i][i]).collect(), vectors)
}

/// Makes `a[p][q]` zero.
fn rotate<const N: usize>(a: &mut [[f64; N]], vectors: &mut [[f64; N]], p: usize, q: usize) {
    if a[p][q] == 0.0 {
        return;
    }
    let theta = (a[q][q] - a[p][p]) / (2.0 * a[p][q]);
    let t = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
    let c = 1.0 / (t * t + 1.0).sqrt();
    let s = t * c;
    for row in a.iter_mut() {
        let (x, y) = (row[p], row[q]);
        row[p] = c * x - s * y;
        row[q] = s * x + c * y;
    }
    for rows in [a, vectors] {
        let (head, tail) = rows.split_at_mut(q);
        for (x, y) in head[p].iter_mut().zip(&mut tail[0]) {
            (*x, *y) = (c * *x - s * *y, s * *x + c * *y);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strongest_direction_comes_first_with_a_fixed_sign() {
        // Rows along (3, 4)/5 and a little across it.
        let rows = [-3.0, -4.0, 6.0, 8.0, 0.4, -0.3];
        let found = components::<2>(&rows, 2);
        for (f, w) in found.iter().zip([0.6, 0.8, 0.8, -0.6]) {
            assert!((f - w).abs() < 1e-9, "{found:?}");
        }
    }
}
