/* The hot loop of training, and what prepares it. What each function computes is written in skipgram.py, with the same
 * names and shapes.
 *
 * Plain C, without Python's or numpy's headers: compiled.py checks the arrays. Matrix products are those of scipy's BLAS,
 * random numbers those of a numpy Generator; both come as functions.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define PASSAGE 64 /* most songs of a passage */
const int passage_length = PASSAGE;

/* One file for all processors: the loader picks what this one can do. */
#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__) && !defined(__clang__)
#define FOR_EVERY_PROCESSOR __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define FOR_EVERY_PROCESSOR
#endif
#define INLINE static inline __attribute__((always_inline))

typedef struct {
    void *state;
    double (*next)(void *state); /* uniform in [0, 1) */
} Random;

/* BLAS: column-major, C = op(B) op(A); read with rows first it is C = op(A) op(B). */
typedef void Sgemm(char *, char *, int *, int *, int *, float *, float *, int *, float *, int *, float *, float *, int *);

typedef struct {
    float *vectors, *context;             /* (songs, d) */
    float *vector_steps, *context_steps;  /* (songs,) */
    float alpha, weight_decay;
    int d;
} Model;

INLINE int draw_songs(const int32_t *passage, int length, const float *keep, Random random, int32_t *rows)
{
    int L = 0;
    for (int i = 0; i < length; i++) {
        float chance = keep[passage[i]];
        if (chance >= 1 || random.next(random.state) < chance)
            rows[L++] = passage[i];
    }
    return L;
}

INLINE void draw_noise(const float *chance, const int32_t *alias, int64_t songs, Random random, int32_t *noise, int K)
{
    for (int k = 0; k < K; k++) {
        double place = random.next(random.state) * songs;
        int32_t song = (int32_t)place;
        noise[k] = place - song < chance[song] ? song : alias[song];
    }
}

INLINE void gather(const float *matrix, const int32_t *rows, int count, int d, float *out)
{
    for (int i = 0; i < count; i++)
        memcpy(out + (size_t)i * d, matrix + (size_t)rows[i] * d, d * sizeof(float));
}

/* 1 / (1 + exp(-x)) to 1e-6 for all x, by a rational approximation of tanh that compiles to vector instructions. The
 * coefficients are those of Eigen's ptanh; beyond 7.9 it stays at what it is there. */
INLINE float sigmoid(float x)
{
    float half = 0.5f * x, above = half > -7.9f ? half : -7.9f, t = above < 7.9f ? above : 7.9f, s = t * t;
    float p = s * -2.76076847742355e-16f + 2.00018790482477e-13f;
    p = p * s - 8.60467152213735e-11f;
    p = p * s + 5.12229709037114e-08f;
    p = p * s + 1.48572235717979e-05f;
    p = p * s + 6.37261928875436e-04f;
    p = p * s + 4.89352455891786e-03f;
    float q = s * 1.19825839466702e-06f + 1.18534705686654e-04f;
    q = q * s + 2.26843463243900e-03f;
    q = q * s + 4.89352518554385e-03f;
    return 0.5f + 0.5f * t * p / q;
}

/* Draw which songs make up the input of each row i: i itself and, in a share of the rows, random others, so that they
 * are 1 to L / 2. Row i of `inputs` (L, L) begins with them. */
INLINE void draw_inputs(int L, float share, Random random, uint8_t *restrict sizes, uint8_t *restrict inputs)
{
    for (int i = 0; i < L; i++, inputs += L) {
        int size = share > 0 && random.next(random.state) < share ? 1 + (int)(random.next(random.state) * (L / 2)) : 1;
        sizes[i] = (uint8_t)size;
        for (int j = 0; j < L; j++)
            inputs[j] = (uint8_t)j;
        inputs[i] = 0;
        inputs[0] = (uint8_t)i;
        for (int j = 1; j < size; j++) {
            int other = j + (int)(random.next(random.state) * (L - j));
            uint8_t drawn = inputs[other];
            inputs[other] = inputs[j];
            inputs[j] = drawn;
        }
    }
}

/* S (L, L), whose row i is 1 / sqrt(sizes[i]) where a song is part of input i, else 0, times `from` (L, M); or S' where
 * `transposed`. */
INLINE void mix(int transposed, const uint8_t *restrict sizes, const uint8_t *restrict inputs, const float *restrict from,
                float *restrict to, int L, int M)
{
    memset(to, 0, (size_t)L * M * sizeof(float));
    for (int i = 0; i < L; i++, inputs += L) {
        float scale = 1 / sqrtf(sizes[i]);
        for (int k = 0; k < sizes[i]; k++) {
            const float *source = from + (transposed ? i : inputs[k]) * M;
            float *target = to + (transposed ? inputs[k] : i) * M;
            for (int x = 0; x < M; x++)
                target[x] += scale * source[x];
        }
    }
}

/* For each of the M songs of `rows`, the first of the L of the passage that is the same song; L: none is. */
INLINE void find_firsts(const int32_t *restrict rows, int L, int M, int32_t *restrict firsts)
{
    for (int k = 0; k < M; k++)
        firsts[k] = L;
    for (int i = L - 1; i >= 0; i--)
        for (int k = 0, row = rows[i]; k < M; k++)
            firsts[k] = rows[k] == row ? i : firsts[k];
}

/* Turn the products E (L, L + K) into what the gradients are made of: each pair's weight times (label - sigmoid).
 * weights[distance] is that of two songs so far apart, before scaling, for distances from -PASSAGE to PASSAGE. */
INLINE void errors(float *restrict E, const int32_t *restrict firsts, const uint8_t *restrict sizes,
                   const uint8_t *restrict inputs, int L, int K, const float *restrict weights, float negative)
{
    float w[PASSAGE], outside[PASSAGE]; /* 0: the song is part of the input */
    for (int j = 0; j < L; j++)
        outside[j] = 1;
    for (int i = 0; i < L; i++, E += L + K, inputs += L) {
        float all = 0, left = 0;
        for (int k = 0; k < sizes[i]; k++)
            outside[firsts[inputs[k]]] = 0;
        for (int j = 0; j < L; j++) {
            float weight = firsts[j] != firsts[i] ? weights[j - i] : 0;
            all += weight;
            left += w[j] = weight * outside[firsts[j]];
        }
        float scale = all > 0 ? 1 / all : 0, noise = scale * left * negative / K;
        for (int j = 0; j < L; j++)
            E[j] = scale * w[j] * sigmoid(-E[j]);
        for (int k = L; k < L + K; k++)
            E[k] = firsts[k] == L ? -noise * sigmoid(E[k]) : 0;
        for (int k = 0; k < sizes[i]; k++)
            outside[firsts[inputs[k]]] = 1;
    }
}

/* AdaGrad with one step size a row; gradient is (count, d). */
INLINE void move(float *matrix, float *steps, const int32_t *rows, int count, const float *gradient, const Model *model)
{
    int d = model->d;
    for (int i = 0; i < count; i++, gradient += d) {
        float *row = matrix + (size_t)rows[i] * d, square = 0;
        for (int x = 0; x < d; x++)
            square += gradient[x] * gradient[x];
        float h = steps[rows[i]] += square / d;
        float step = model->alpha / sqrtf(h + 1e-12f), kept = 1 - step * model->weight_decay;
        for (int x = 0; x < d; x++)
            row[x] = kept * row[x] + step * gradient[x];
    }
}

/* Read passages in the order given and move the rows of both matrices.
 * Returns how many songs were read, after down-sampling; -1: no memory. */
FOR_EVERY_PROCESSOR
int64_t train_passages(
    const int32_t *songs, const uint32_t *starts, const uint8_t *lengths, int64_t passages,
    float *vectors, float *context, float *vector_steps, float *context_steps, int64_t count, int d,
    const float *keep, const float *chance, const int32_t *alias, void *state, double (*next)(void *),
    float window, float far_weight, float subset_share, float negative, int K, float alpha, float weight_decay, Sgemm *sgemm)
{
    Model model = {vectors, context, vector_steps, context_steps, alpha, weight_decay, d};
    Random random = {state, next};
    float table[2 * PASSAGE + 1], *weights = table + PASSAGE, one = 1, zero = 0;
    for (int distance = -PASSAGE; distance <= PASSAGE; distance++)
        weights[distance] = fmaxf(far_weight, 1 - (abs(distance) - 1) / window);

    int most = PASSAGE + K;
    uint8_t sizes[PASSAGE], inputs[PASSAGE * PASSAGE];
    int32_t *rows = malloc(2 * most * sizeof(int32_t)), *firsts = rows + most; /* L songs, then K noise songs */
    float *room = malloc((2 * (size_t)d * (PASSAGE + most) + 2 * (size_t)PASSAGE * most) * sizeof(float));
    float *A = room, *gA = A + PASSAGE * d;           /* (L, d) */
    float *Q = gA + PASSAGE * d, *gQ = Q + most * d;  /* (L + K, d): P, then N */
    float *E = gQ + most * d, *F = E + PASSAGE * most; /* (L, L + K) */
    int64_t read = rows && room ? 0 : -1;
    for (int64_t passage = 0; passage < passages && read >= 0; passage++) {
        int L = draw_songs(songs + starts[passage], lengths[passage], keep, random, rows), M = L + K;
        if (L < 2)
            continue;
        draw_noise(chance, alias, count, random, rows + L, K);
        draw_inputs(L, subset_share, random, sizes, inputs);
        find_firsts(rows, L, M, firsts);
        gather(vectors, rows, L, d, A);
        gather(context, rows, M, d, Q);
        sgemm("T", "N", &M, &L, &d, &one, Q, &d, A, &d, &zero, F, &M);  /* F = A Q' */
        mix(0, sizes, inputs, F, E, L, M);                              /* E = S F = U Q' */
        errors(E, firsts, sizes, inputs, L, K, weights, negative);
        mix(1, sizes, inputs, E, F, L, M);                              /* F = S' E */
        sgemm("N", "N", &d, &L, &M, &one, Q, &d, F, &M, &zero, gA, &d); /* gA = F Q */
        sgemm("N", "T", &d, &M, &L, &one, A, &d, F, &M, &zero, gQ, &d); /* gQ = F' A = E' U */
        move(vectors, vector_steps, rows, L, gA, &model);
        move(context, context_steps, rows, M, gQ, &model);
        read += L;
    }
    free(rows);
    free(room);
    return read;
}

/* Cut playlists into passages and shuffle them; skipgram.py says how. `starts` and `lengths` have room for all of them.
 * Returns how many there are. */
int64_t cut_passages(const uint32_t *offsets, int64_t playlists, void *state, double (*next)(void *),
                     uint32_t *starts, uint8_t *lengths)
{
    int64_t count = 0;
    for (int64_t playlist = 0; playlist < playlists; playlist++) {
        int64_t start = offsets[playlist], end = offsets[playlist + 1];
        int64_t length = end - start <= PASSAGE ? end - start : 1 + (int64_t)(next(state) * PASSAGE);
        while (start < end) {
            int64_t place = (int64_t)(next(state) * (count + 1));
            starts[count] = starts[place];
            lengths[count] = lengths[place];
            starts[place] = (uint32_t)start;
            lengths[place] = (uint8_t)length;
            count++;
            start += length;
            length = end - start < PASSAGE ? end - start : PASSAGE;
        }
    }
    return count;
}

/* Vose's way to the tables of the alias method; skipgram.py says what they are. `scaled` (n,), with mean 1, is used up;
 * `waiting` (n,) holds places with too little from the front, with too much from the back. */
void alias_table(double *scaled, int32_t *waiting, int64_t n, float *chance, int32_t *alias)
{
    int64_t small = 0, large = n;
    for (int64_t place = 0; place < n; place++) {
        chance[place] = 1;
        alias[place] = (int32_t)place;
        if (scaled[place] < 1)
            waiting[small++] = (int32_t)place;
        else
            waiting[--large] = (int32_t)place;
    }
    while (small > 0 && large < n) {
        int32_t poor = waiting[--small], rich = waiting[large];
        chance[poor] = (float)scaled[poor];
        alias[poor] = rich;
        scaled[rich] -= 1 - scaled[poor];
        if (scaled[rich] < 1) {
            waiting[small++] = rich;
            large++;
        }
    }
}
