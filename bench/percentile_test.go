package bench

import "testing"

func TestPercentileIsTheNearestRank(t *testing.T) {
	hundred := make([]int, 100)
	for i := range hundred {
		hundred[i] = 100 - i
	}
	for _, test := range []struct {
		values []int
		p      float64
		want   int
	}{
		{nil, 50, 0},
		{[]int{7}, 0, 7},
		{[]int{7}, 99, 7},
		{[]int{3, 1, 2}, 50, 2},
		{[]int{4, 1, 3, 2}, 50, 2},
		{[]int{4, 1, 3, 2}, 51, 3},
		{hundred, 99, 99},
		{hundred, 99.5, 100},
		{hundred, 100, 100},
	} {
		if got := percentile(test.values, test.p); got != test.want {
			t.Errorf("percentile %v of %v is %v, not %v", test.p, test.values, got, test.want)
		}
	}
}

func TestMedianDoesNotReorderTheValues(t *testing.T) {
	values := []float64{9, 1, 5, 3}
	if got := median(values); got != 4 {
		t.Errorf("of four: %v", got)
	}
	if values[0] != 9 || values[3] != 3 {
		t.Errorf("moved: %v", values)
	}
	if got := median([]float64{9, 1, 5}); got != 5 {
		t.Errorf("of three: %v", got)
	}
	if got := median(nil); got != 0 {
		t.Errorf("of none: %v", got)
	}
}
