package demo

import (
	"math"
	"time"
)

// The observatory is on a mountain in the Atacama; degrees north and east.
const (
	latitude  = -29.0
	longitude = -70.7
)

// equatorial is a position in the sky, in degrees.
type equatorial struct{ ra, dec float64 }

// horizontal is a direction from the observatory, in degrees; azimuth from
// north through east.
type horizontal struct{ alt, az float64 }

// siderealTime returns the local mean sidereal time in degrees, accurate to about an
// arc second in this century (Meeus, Astronomical Algorithms, 12.4).
func siderealTime(t time.Time) float64 {
	days := float64(t.UnixMilli())/86400e3 - 10957.5 // since J2000
	return normalizeAngle(280.46061837 + 360.98564736629*days + longitude)
}

// horizontal returns the direction in which a position in the sky is seen.
func (e equatorial) horizontal(t time.Time) horizontal {
	hourAngle := radians(siderealTime(t) - e.ra)
	alt, az := rotate(hourAngle, radians(e.dec))
	return horizontal{alt: degrees(alt), az: normalizeAngle(degrees(az))}
}

// equatorial returns the position in the sky that is seen in a direction.
func (h horizontal) equatorial(t time.Time) equatorial {
	dec, hourAngle := rotate(radians(h.az), radians(h.alt))
	return equatorial{ra: normalizeAngle(siderealTime(t) - degrees(hourAngle)), dec: degrees(dec)}
}

// rotate converts between the two systems. It is its own inverse: hour angle and
// declination give altitude and azimuth, azimuth and altitude give declination and
// hour angle.
func rotate(around, up float64) (newUp, newAround float64) {
	sinLat, cosLat := math.Sincos(radians(latitude))
	sinUp, cosUp := math.Sincos(up)
	sinAround, cosAround := math.Sincos(around)
	newUp = math.Asin(max(-1, min(1, sinLat*sinUp+cosLat*cosUp*cosAround)))
	newAround = math.Atan2(-cosUp*sinAround, sinUp*cosLat-cosUp*cosAround*sinLat)
	return newUp, newAround
}

// airmass returns the air mass, which is 1 at the zenith.
func (h horizontal) airmass() float64 {
	return 1 / math.Sin(radians(max(h.alt, 1)))
}

// distance returns the larger of the distances that the two axes move.
func (h horizontal) distance(to horizontal) float64 {
	return max(math.Abs(to.alt-h.alt), math.Abs(shortestTurn(h.az, to.az)))
}

// between returns the direction at a share (0 to 1) of the way to another.
func (h horizontal) between(to horizontal, share float64) horizontal {
	return horizontal{
		alt: h.alt + share*(to.alt-h.alt),
		az:  normalizeAngle(h.az + share*shortestTurn(h.az, to.az)),
	}
}

// shortestTurn returns the way from one angle to another, from -180 to 180 degrees.
func shortestTurn(from, to float64) float64 { return normalizeAngle(to-from+180) - 180 }

// normalizeAngle returns an angle as 0 <= angle < 360.
func normalizeAngle(angle float64) float64 {
	angle = math.Mod(angle, 360)
	if angle < 0 {
		angle += 360
	}
	return angle
}

func radians(angle float64) float64 { return angle * math.Pi / 180 }
func degrees(angle float64) float64 { return angle * 180 / math.Pi }
