package demo

import (
	"math"
	"testing"
	"time"
)

func TestTheConversionsOfTheSkyAreInverse(t *testing.T) {
	now := time.Date(2024, 3, 20, 3, 0, 0, 0, time.UTC)
	for _, e := range []equatorial{{0, 0}, {80, -40}, {200, -89}, {359.9, 30}, {123.4, 56.7}} {
		back := e.horizontal(now).equatorial(now)
		if math.Abs(shortestTurn(back.ra, e.ra)) > 1e-6 || math.Abs(back.dec-e.dec) > 1e-6 {
			t.Errorf("%v came back as %v", e, back)
		}
	}
}

func TestTheCelestialPoleDoesNotMove(t *testing.T) {
	for hour := range 24 {
		pole := equatorial{100, -90}.horizontal(time.Date(2024, 1, 1, hour, 0, 0, 0, time.UTC))
		if math.Abs(pole.alt+latitude) > 1e-6 || math.Abs(shortestTurn(pole.az, 180)) > 1e-6 {
			t.Errorf("at %d h the south pole is at %v", hour, pole)
		}
	}
}

// At its culmination a star is in the meridian, at the altitude that follows from its declination.
func TestAStarCulminatesInTheMeridian(t *testing.T) {
	now := time.Date(2024, 6, 1, 5, 0, 0, 0, time.UTC)
	star := equatorial{siderealTime(now), 10}.horizontal(now)
	if math.Abs(star.alt-51) > 1e-6 || math.Abs(shortestTurn(star.az, 0)) > 1e-6 {
		t.Errorf("it is at %v", star)
	}
	rising := equatorial{normalizeAngle(siderealTime(now) + 60), 10}.horizontal(now)
	if rising.az < 0 || rising.az > 180 {
		t.Errorf("a star that will culminate later is in the west: %v", rising)
	}
}

// Meeus, Astronomical Algorithms, example 12.a: 13h 10m 46.3668s in Greenwich.
func TestSiderealTimeIsThatOfMeeus(t *testing.T) {
	got := normalizeAngle(siderealTime(time.Date(1987, 4, 10, 0, 0, 0, 0, time.UTC)) - longitude)
	if want := (13 + 10.0/60 + 46.3668/3600) * 15; math.Abs(got-want) > 1e-4 {
		t.Errorf("got %v, want %v", got, want)
	}
}
