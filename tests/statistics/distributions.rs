//! Probabilities of the distributions that the tests compare with, and the tests that compare.

/// The logarithm of the gamma function (Lanczos's approximation, g = 7, nine terms).
fn ln_gamma(x: f64) -> f64 {
    const TERMS: [f64; 8] = [
        676.5203681218851,
        -1259.1392167224028,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507343278686905,
        -0.13857109526572012,
        9.984_369_578_019_572e-6,
        1.5056327351493116e-7,
    ];
    let x = x - 1.0;
    let series =
        TERMS.iter().enumerate().fold(0.999_999_999_999_809_9, |sum, (index, term)| sum + term / (x + index as f64 + 1.0));
    let t = x + 7.5;
    0.5 * (2.0 * std::f64::consts::PI).ln() + (x + 0.5) * t.ln() - t + series.ln()
}

/// The regularized upper incomplete gamma function Q(a, x): by its series below a + 1, by its continued fraction (Lentz) above.
fn gamma_q(a: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    let front = (a * x.ln() - x - ln_gamma(a)).exp();
    if x < a + 1.0 {
        let (mut term, mut sum, mut n) = (1.0 / a, 1.0 / a, a);
        while term > sum * 1e-16 {
            n += 1.0;
            term *= x / n;
            sum += term;
        }
        return 1.0 - front * sum;
    }
    let mut b = x + 1.0 - a;
    let (mut c, mut d) = (f64::MAX, 1.0 / b);
    let mut fraction = d;
    for step in 1..10_000 {
        let step = f64::from(step);
        let an = step * (a - step);
        b += 2.0;
        d = 1.0 / (an * d + b);
        c = b + an / c;
        fraction *= d * c;
        if (d * c - 1.0).abs() < 1e-16 {
            break;
        }
    }
    front * fraction
}

/// The probability that a chi-square variable of so many degrees of freedom is at least `x`.
pub fn chi_square_above(x: f64, degrees: usize) -> f64 {
    gamma_q(degrees as f64 / 2.0, x / 2.0)
}

/// The probability that a standard normal variable is at least as far from 0 as `z`.
pub fn normal_beyond(z: f64) -> f64 {
    gamma_q(0.5, z * z / 2.0)
}

/// The probability that the empirical distribution of `n` uniform numbers is somewhere at least `distance` off (Kolmogorov's
/// distribution with Stephens' correction for a finite `n`).
fn kolmogorov_above(distance: f64, n: usize) -> f64 {
    let root = (n as f64).sqrt();
    let lambda = (root + 0.12 + 0.11 / root) * distance;
    let sum: f64 =
        (1..=100).map(|k| (if k % 2 == 1 { 2.0 } else { -2.0 }) * (-2.0 * f64::from(k * k) * lambda * lambda).exp()).sum();
    // Near 0 the alternating series does not converge; there it is as good as certain.
    if lambda < 0.2 { 1.0 } else { sum.clamp(0.0, 1.0) }
}

/// The Kolmogorov-Smirnov test: how probable numbers so far from uniform in 0..1 are, were they uniform.
pub fn uniform_by_distance(numbers: &[f64]) -> f64 {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len() as f64;
    let distance = sorted
        .iter()
        .enumerate()
        .fold(0.0f64, |most, (index, number)| most.max(number - index as f64 / n).max((index as f64 + 1.0) / n - number));
    kolmogorov_above(distance, numbers.len())
}

/// The chi-square test of counts against shares: how probable counts so far off are, were the shares right.
pub fn fits(counts: &[u64], shares: &[f64]) -> f64 {
    let all: u64 = counts.iter().sum();
    let whole: f64 = shares.iter().sum();
    let x = counts.iter().zip(shares).map(|(count, share)| {
        let expected = all as f64 * share / whole;
        assert!(expected >= 5.0, "too few for a chi-square test");
        (*count as f64 - expected).powi(2) / expected
    });
    chi_square_above(x.sum(), counts.len() - 1)
}

/// The chi-square test of counts against equal shares.
pub fn fits_evenly(counts: &[u64]) -> f64 {
    fits(counts, &vec![1.0; counts.len()])
}

/// The chi-square test of a table: how probable one so far from independence of rows and columns is, were they independent.
pub fn independent(table: &[Vec<u64>]) -> f64 {
    let rows: Vec<u64> = table.iter().map(|row| row.iter().sum()).collect();
    let columns: Vec<u64> = (0..table[0].len()).map(|column| table.iter().map(|row| row[column]).sum()).collect();
    let all = rows.iter().sum::<u64>() as f64;
    let mut x = 0.0;
    for (row, cells) in rows.iter().zip(table) {
        for (column, count) in columns.iter().zip(cells) {
            let expected = *row as f64 * *column as f64 / all;
            assert!(expected >= 5.0, "too few for a chi-square test");
            x += (*count as f64 - expected).powi(2) / expected;
        }
    }
    chi_square_above(x, (rows.len() - 1) * (columns.len() - 1))
}

/// The z-test of two shares, two-sided, with a common variance: how probable a difference so large is, were the shares equal.
pub fn same_share(successes: [u64; 2], of: [u64; 2]) -> f64 {
    let [a, b] = [0, 1].map(|index| successes[index] as f64 / of[index] as f64);
    let common = (successes[0] + successes[1]) as f64 / (of[0] + of[1]) as f64;
    let deviation = (common * (1.0 - common) * (1.0 / of[0] as f64 + 1.0 / of[1] as f64)).sqrt();
    normal_beyond((a - b) / deviation)
}

fn close(found: f64, known: f64) {
    assert!((found - known).abs() <= known * 1e-6, "{found} instead of {known}");
}

#[test]
fn distributions_have_their_known_values() {
    // Tables of quantiles, such as NIST/SEMATECH's e-Handbook of Statistical Methods, 1.3.6.7, with more digits.
    for (degrees, at, above) in [
        (1, 3.841458820694124, 0.05),
        (1, 10.827566170662733, 0.001),
        (2, 9.210340371976182, 0.01),
        (9, 16.918977604620448, 0.05),
        (9, 27.877164871256568, 0.001),
        (81, 103.00950871222618, 0.05),
        (99, 148.2303591651077, 0.001),
    ] {
        close(chi_square_above(at, degrees), above);
    }
    // With two degrees it is exp(-x / 2), however far out.
    for x in [0.001f64, 0.5, 2.0, 40.0, 600.0] {
        close(chi_square_above(x, 2), (-x / 2.0).exp());
    }
    for (z, beyond) in [(0.0, 1.0), (1.0, 0.317310507862914), (1.959963984540054, 0.05), (-3.290526731491926, 0.001)] {
        close(normal_beyond(z), beyond);
    }
    // The asymptotic quantiles of Kolmogorov's distribution.
    for (lambda, above) in [(1.3580986393225505, 0.05), (1.6276236115189503, 0.01), (1.9494746035043003, 0.001)] {
        let n = 1_000_000_000_000_000_000;
        close(kolmogorov_above(lambda / (n as f64).sqrt(), n), above);
    }
}

#[test]
fn tests_have_their_known_results() {
    // By hand.
    close(fits(&[110, 90, 100, 100], &[1.0, 1.0, 1.0, 1.0]), chi_square_above(2.0, 3));
    close(fits(&[30, 70], &[1.0, 3.0]), chi_square_above(25.0 / 25.0 + 25.0 / 75.0, 1));
    close(independent(&[vec![40, 10], vec![20, 30]]), chi_square_above(2.0 * (100.0 / 30.0 + 100.0 / 20.0), 1));
    // For two shares the z-test is the chi-square test of their table.
    close(same_share([40, 20], [50, 50]), independent(&[vec![40, 10], vec![20, 30]]));
    // An even grid is off by half a step at most; the lower half alone is off by a half.
    assert!(uniform_by_distance(&(0..100).map(|k| (f64::from(k) + 0.5) / 100.0).collect::<Vec<_>>()) > 0.999);
    assert!(uniform_by_distance(&(0..100).map(|k| f64::from(k) / 200.0).collect::<Vec<_>>()) < 1e-9);
}
