package demo

import (
	"math"
	"time"
)

// The observatory's place: a mountain in the Atacama, degrees north and east.
const (
	latitude  = -29.0
	longitude = -70.7
)

// equatorial is a place in the sky, in degrees.
type equatorial struct{ ra, dec float64 }

// horizontal is a direction from the observatory, in degrees; azimuth from
// north through east.
type horizontal struct{ alt, az float64 }

// siderealTime is the local mean sidereal time in degrees, good to an arc second
// or so in this century (Meeus, Astronomical Algorithms, 12.4).
func siderealTime(t time.Time) float64 {
	days := float64(t.UnixMilli())/86400e3 - 10957.5 // since J2000
	return turn(280.46061837 + 360.98564736629*days + longitude)
}

// horizontal is where a place in the sky is seen.
func (e equatorial) horizontal(t time.Time) horizontal {
	hourAngle := radians(siderealTime(t) - e.ra)
	alt, az := rotate(hourAngle, radians(e.dec))
	return horizontal{alt: degrees(alt), az: turn(degrees(az))}
}

// equatorial is what is seen in a direction.
func (h horizontal) equatorial(t time.Time) equatorial {
	dec, hourAngle := rotate(radians(h.az), radians(h.alt))
	return equatorial{ra: turn(siderealTime(t) - degrees(hourAngle)), dec: degrees(dec)}
}

// rotate turns between the two systems. It is its own inverse: hour angle and
// declination give altitude and azimuth, azimuth and altitude give declination
// and hour angle.
func rotate(around, up float64) (newUp, newAround float64) {
	sinLat, cosLat := math.Sincos(radians(latitude))
	sinUp, cosUp := math.Sincos(up)
	sinAround, cosAround := math.Sincos(around)
	newUp = math.Asin(max(-1, min(1, sinLat*sinUp+cosLat*cosUp*cosAround)))
	newAround = math.Atan2(-cosUp*sinAround, sinUp*cosLat-cosUp*cosAround*sinLat)
	return newUp, newAround
}

// airmass is how much air the light comes through, 1 at the zenith.
func (h horizontal) airmass() float64 {
	return 1 / math.Sin(radians(max(h.alt, 1)))
}

// distance is the larger of the ways that the two axes have to go.
func (h horizontal) distance(to horizontal) float64 {
	return max(math.Abs(to.alt-h.alt), math.Abs(shortWay(h.az, to.az)))
}

// between is the direction a share of the way (0 to 1) from one to another.
func (h horizontal) between(to horizontal, share float64) horizontal {
	return horizontal{
		alt: h.alt + share*(to.alt-h.alt),
		az:  turn(h.az + share*shortWay(h.az, to.az)),
	}
}

// shortWay is the way from one angle to another, from -180 to 180 degrees.
func shortWay(from, to float64) float64 { return turn(to-from+180) - 180 }

// turn brings an angle to 0 <= angle < 360.
func turn(angle float64) float64 {
	angle = math.Mod(angle, 360)
	if angle < 0 {
		angle += 360
	}
	return angle
}

func radians(angle float64) float64 { return angle * math.Pi / 180 }
func degrees(angle float64) float64 { return angle * 180 / math.Pi }
