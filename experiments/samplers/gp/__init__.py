"""Gaussian-process model of a metric over a search space, and the search for the next run on it.

Pure: numpy and scipy, no Django, no clock, no global random state. What the letters mean:

| symbol     | in code             | shape    | meaning                                          |
|------------|---------------------|----------|--------------------------------------------------|
| d          | `encoding.dimension` |          | hyperparameters with more than one value         |
| n          | `len(y)`            |          | runs that the model has learned from             |
| p          |                     |          | runs that are pending                            |
| m          | `len(Z)`            |          | places asked about at once                       |
| X          | `X`                 | `(n, d)` | their places: numbers in [0, 1] or an option     |
| y          | `y`                 | `(n,)`   | their metric, transformed: small is good, ~N(0,1) |
| Z          | `Z`                 | `(m, d)` | places asked about                               |
| w_j        | `relevance`         | `(d,)`   | inverse squared length scale of parameter j      |
| s^2        | `signal`            |          | variance of the function                         |
| t^2        | `noise`             | `(n,)`   | variance of the noise of each value              |
| r^2(a, b)  | `squared_distances` |          | sum of w_j (a_j - b_j)^2, or of w_j [a_j != b_j] |
| k(a, b)    | `Kernel`            |          | covariance of the function at two places         |
| K          | `K`                 | `(n, n)` | k(X, X) + diag(t^2)                              |
| L          | `L`                 | `(n, n)` | lower Cholesky factor of K                       |
| alpha      | `alpha`             | `(n,)`   | K^-1 y                                           |
| mu, sigma  | `mean`, `spread`    | `(m,)`   | posterior of the function at Z                   |
| b          | `target`            |          | what the next run should be better than          |
| a          | `share`             |          | part of s^2 in sums of functions of one parameter |
| theta      | `theta`             | `(d+3,)` | log w, log s^2, log t^2, log odds of a           |

Capital letters are matrices, small ones vectors or numbers.
"""
