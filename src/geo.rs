//! Distances on the earth, taken as a sphere. The few trigonometric functions are series of additions, multiplications,
//! divisions and square roots, which IEEE 754 rounds in one way, so that every face gets the same bits; a library's, made
//! for angles of any size, weigh two kilobytes in the engine.

/// The mean radius of the earth in kilometres (IUGG, R1 of GRS 80).
const RADIUS_KM: f64 = 6371.0088;

/// A place as a point on the sphere of radius 1.
pub(crate) type Point = [f64; 3];

/// The point at a latitude and longitude in degrees.
pub(crate) fn point(latitude: f64, longitude: f64) -> Point {
    const DEGREE: f64 = std::f64::consts::PI / 180.0;
    let (z, ring) = sine_and_cosine(latitude * DEGREE);
    let (y, x) = sine_and_cosine(longitude * DEGREE);
    [ring * x, ring * y, z]
}

/// The square of the straight line between two points, through the sphere: the nearer, the less.
pub(crate) fn square_between(one: Point, other: Point) -> f64 {
    let ([x, y, z], [other_x, other_y, other_z]) = (one, other);
    let (x, y, z) = (x - other_x, y - other_y, z - other_z);
    x * x + y * y + z * z
}

/// The way over the sphere between two points with that straight line between them (the haversine formula, whose
/// haversine is a quarter of that square).
pub(crate) fn kilometres(square: f64) -> f64 {
    2.0 * RADIUS_KM * arc_sine((square.sqrt() / 2.0).min(1.0))
}

/// Of an angle of at most a half turn.
fn sine_and_cosine(angle: f64) -> (f64, f64) {
    // The series (Taylor) of a quarter of the angle, whose thirteenth pair of terms is below a unit in the last place; then
    // the formulas of the double angle, without the cosine itself, which would lose the digits of small angles.
    let quarter = angle / 4.0;
    let (mut sine, mut versine, mut term) = (0.0, 0.0, quarter);
    let mut place = 1.0;
    while place < 26.0 {
        sine += term;
        term *= quarter / (place + 1.0);
        versine += term;
        term *= -quarter / (place + 2.0);
        place += 2.0;
    }
    for _ in 0..2 {
        (sine, versine) = (2.0 * sine * (1.0 - versine), 2.0 * sine * sine);
    }
    (sine, 1.0 - versine)
}

/// Of a number between 0 and 1.
fn arc_sine(sine: f64) -> f64 {
    // Halve the angle until the series is short.
    let mut part = sine;
    for _ in 0..3 {
        part /= (2.0 * (1.0 + (1.0 - part * part).sqrt())).sqrt();
    }
    let (mut sum, mut term, mut place) = (0.0, part, 1.0);
    while place < 28.0 {
        sum += term / place;
        term *= part * part * place / (place + 1.0);
        place += 2.0;
    }
    8.0 * sum
}

/// Kilometres between two places, each a latitude and a longitude in degrees, along the great circle.
pub(crate) fn distance_km(latitude: f64, longitude: f64, other_latitude: f64, other_longitude: f64) -> f64 {
    kilometres(square_between(point(latitude, longitude), point(other_latitude, other_longitude)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_the_haversine_formula() {
        // Written down in another way, and with the platform's functions.
        #[allow(clippy::disallowed_methods)]
        let haversine = |a: (f64, f64), b: (f64, f64)| {
            let half = |degrees: f64| (degrees.to_radians() / 2.0).sin().powi(2);
            let hav = half(b.0 - a.0) + a.0.to_radians().cos() * b.0.to_radians().cos() * half(b.1 - a.1);
            2.0 * 6371.0088 * hav.sqrt().min(1.0).asin()
        };
        let places: Vec<(f64, f64)> = (0..40).map(|n| (f64::from(n * 37 % 181 - 90), f64::from(n * 97 % 361 - 180))).collect();
        for a in &places {
            for b in &places {
                let (found, expected) = (distance_km(a.0, a.1, b.0, b.1), haversine(*a, *b));
                // Opposite points: the sine is flat there.
                let tolerance = if expected > 19_000.0 { 1e-3 } else { 1e-9 * expected.max(1.0) };
                assert!((found - expected).abs() < tolerance, "{a:?} {b:?}: {found} instead of {expected}");
            }
        }
    }

    #[test]
    fn known_distances() {
        let near = |found: f64, expected: f64| assert!((found - expected).abs() < 0.001, "{found} instead of {expected}");
        // A degree of a great circle, half of one, and from pole to pole.
        near(distance_km(0.0, 0.0, 0.0, 1.0), 111.195_080);
        near(distance_km(0.0, 179.75, 0.0, -179.75), 55.597_540);
        near(distance_km(90.0, 0.0, -90.0, 123.0), 20_015.114_4);
        near(distance_km(90.0, 10.0, 90.0, -170.0), 0.0);
        assert_eq!(distance_km(48.85, 2.35, 48.85, 2.35), 0.0);
        // A metre is told apart.
        near(distance_km(48.85, 2.35, 48.850_009, 2.35), 0.001_000_8);
        assert!(distance_km(48.85, 2.35, 48.850_009, 2.35) > 0.000_99);
    }
}
