//! How likely something is: the logistic function, in fixed point, so that every face gets the same.

use super::decay::power_of_two_below_one;
use super::event::ONE;

/// log2(e) in 2^-62.
const LOG2_E: u128 = 6_653_256_548_922_161_246;

/// 1 / (1 + exp(-z)) for z in millionths, in millionths: within one of the exact value.
pub(crate) fn logistic(z: i64) -> i64 {
    // exp(-|z|) as a power of two: below a millionth beyond 40.
    let z = z.clamp(-40 * ONE, 40 * ONE);
    let power = (u128::from(z.unsigned_abs()) * LOG2_E) / ONE as u128;
    // 31 bits of it behind the point.
    let falling = power_of_two_below_one((power >> 31) as u64);
    let one = 1u64 << 31;
    let above = (ONE as u64 * one + (one + falling) / 2) / (one + falling);
    if z < 0 { ONE - above as i64 } else { above as i64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::disallowed_methods)]
    fn is_the_logistic_function() {
        let mut last = 0;
        for z in (-41_000_000..=41_000_000i64).step_by(3337) {
            let exact = 1e6 / (1.0 + (-(z as f64) / 1e6).exp());
            let found = logistic(z);
            assert!((found as f64 - exact).abs() <= 1.0, "{z}: {found} for {exact}");
            assert!(found >= last, "{z} falls");
            last = found;
        }
        assert_eq!(logistic(0), ONE / 2);
        assert_eq!(logistic(i64::MIN) + logistic(i64::MAX), ONE);
    }
}
