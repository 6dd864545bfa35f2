"""One class per tool: made once (that is its cold start), it solves people at a tolerance. Each uses the tool as its
users do.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from problem import DOSE, DOSE_TIMES, OUTPUTS, TIMES, Problem, diffsl, python_function, sbml, short

# stretches between doses: (start, end, samples in (start, end])
EDGES = [float(TIMES[0]), *map(float, DOSE_TIMES), float(TIMES[-1])]
STRETCHES = [(a, b, TIMES[(a < TIMES) & (b >= TIMES)]) for a, b in pairwise(EDGES)]


class Ours:
    """This package, one thread unless told otherwise."""

    start_tolerance = 1e-6

    def __init__(self, problem: Problem, threads: int = 1) -> None:
        from ldnsim.engine import native

        self.native, self.threads = native, threads

    def solve(self, problem: Problem, rtol: float) -> np.ndarray:
        schedules = [problem.schedule] * len(problem.parameters)
        given = problem.system, problem.parameters, problem.initial, schedules, TIMES, OUTPUTS, rtol
        found = self.native.solve(*given, threads=self.threads)
        assert not any(found.status), found.reason
        return found.values


class Scipy:
    """solve_ivp, LSODA, the equations in Python."""

    start_tolerance = 1e-5

    def __init__(self, problem: Problem) -> None:
        from math import cos

        from scipy.integrate import solve_ivp

        scope: dict[str, Any] = {"cos": cos}
        exec(python_function(problem), scope)  # noqa: S102 - from this package's own expression trees
        self.rhs, self.solve_ivp, self.places = scope["rhs"], solve_ivp, problem.places()

    def solve(self, problem: Problem, rtol: float) -> np.ndarray:
        values = np.empty((len(problem.parameters), len(TIMES), len(OUTPUTS)))
        for person, (p, y) in enumerate(zip(problem.parameters.tolist(), problem.initial, strict=True)):
            values[person, 0], done = y[self.places], 1
            for start, end, times in STRETCHES:
                at = times if times[-1] == end else np.append(times, end)
                found = self.solve_ivp(
                    lambda t, y, p=p: self.rhs(t, y.tolist(), p),
                    (start, end),
                    y,
                    "LSODA",
                    at,
                    rtol=rtol,
                    atol=1e-2 * rtol,
                )
                values[person, done : done + len(times)] = found.y[self.places, : len(times)].T
                done, y = done + len(times), found.y[:, -1].copy()  # noqa: PLW2901
                y[0] += DOSE
        return values


class LibRoadRunner:
    """SBML, CVODE, equations compiled by LLVM."""

    start_tolerance = 1e-6

    def __init__(self, problem: Problem) -> None:
        import roadrunner

        roadrunner.Logger.disableLogging()
        self.model = roadrunner.RoadRunner(sbml(problem))
        self.names = [*short(problem.system.parameters), *short(problem.system.states)]
        self.states = short(problem.system.states)
        self.model.timeCourseSelections = [self.states[i] for i in problem.places()]

    def solve(self, problem: Problem, rtol: float) -> np.ndarray:
        self.model.integrator.relative_tolerance, self.model.integrator.absolute_tolerance = rtol, 1e-2 * rtol
        values = np.empty((len(problem.parameters), len(TIMES), len(OUTPUTS)))
        for person, (p, y) in enumerate(zip(problem.parameters, problem.initial, strict=True)):
            self.model.resetToOrigin()
            for name, value in zip(self.names, (*p.tolist(), *y.tolist()), strict=True):
                self.model.setValue(name, value)
            values[person] = self.model.simulate(float(TIMES[0]), float(TIMES[-1]), len(TIMES))
        return values


class Copasi:
    """SBML, LSODA, through basico."""

    start_tolerance = 1e-6

    def __init__(self, problem: Problem) -> None:
        import basico

        self.basico = basico
        basico.load_model_from_string(sbml(problem))
        self.names = [*short(problem.system.parameters), *short(problem.system.states)]
        self.shown = [f"Values[{short(problem.system.states)[i]}]" for i in problem.places()]
        model = basico.get_current_model().getModel()
        self.values = [next(v for v in model.getModelValues() if v.getObjectName() == name) for name in self.names]
        self.model = model

    def solve(self, problem: Problem, rtol: float) -> np.ndarray:
        import COPASI

        values = np.empty((len(problem.parameters), len(TIMES), len(OUTPUTS)))
        for person, (p, y) in enumerate(zip(problem.parameters, problem.initial, strict=True)):
            changed = COPASI.ObjectStdVector()
            for value, number in zip(self.values, (*p.tolist(), *y.tolist()), strict=True):
                value.setInitialValue(number)
                changed.append(value.getInitialValueReference())
            self.model.updateInitialValues(changed)
            found = self.basico.run_time_course_with_output(
                self.shown,
                duration=float(TIMES[-1]),
                intervals=len(TIMES) - 1,
                use_numbers=False,
                r_tol=rtol,
                a_tol=1e-2 * rtol,
                max_steps=1_000_000,
                update_model=False,
            )
            values[person] = found.to_numpy()[: len(TIMES)]
        return values


class Pydiffsol:
    """DiffSL compiled by LLVM, restarted at each dose; the faster of its stiff and its explicit method."""

    start_tolerance = 1e-4

    def __init__(self, problem: Problem, method: str = "tsit45") -> None:
        import pydiffsol

        self.ode = pydiffsol.Ode(
            diffsl(problem),
            jit_backend=pydiffsol.llvm,
            matrix_type=pydiffsol.nalgebra_dense,
            ode_solver=getattr(pydiffsol, method),
        )
        self.places = problem.places()

    def solve(self, problem: Problem, rtol: float) -> np.ndarray:
        self.ode.rtol, self.ode.atol = rtol, 1e-2 * rtol
        values = np.empty((len(problem.parameters), len(TIMES), len(OUTPUTS)))
        for person, (p, y) in enumerate(zip(problem.parameters, problem.initial, strict=True)):
            values[person, 0], done = y[self.places], 1
            for start, end, times in STRETCHES:
                found = self.ode.solve_dense(np.concatenate([p, y, [start]]), times - start).ys
                assert times[-1] == end
                values[person, done : done + len(times)] = found[self.places].T
                done, y = done + len(times), found[:, -1].copy()  # noqa: PLW2901
                y[0] += DOSE
        return values


class PydiffsolBdf(Pydiffsol):
    """The same with its stiff method, BDF."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem, "bdf")


class Diffrax:
    """JAX: Tsit5, people by vmap, doses by scan, compiled as one."""

    start_tolerance = 1e-5

    def __init__(self, problem: Problem) -> None:
        import diffrax
        import jax

        jax.config.update("jax_enable_x64", True)
        import jax.numpy as jnp

        scope: dict[str, Any] = {"cos": jnp.cos}
        exec(python_function(problem), scope)  # noqa: S102 - from this package's own expression trees
        term = diffrax.ODETerm(lambda t, y, p: jnp.stack(scope["rhs"](t, y, p)))
        places = jnp.array(problem.places())
        offsets = jnp.arange(1.0, 25.0)

        def stretch(start: Any, end: Any, y: Any, p: Any, at: Any, rtol: Any) -> Any:
            controller = diffrax.PIDController(rtol, 1e-2 * rtol)
            save = diffrax.SaveAt(ts=at)
            return diffrax.diffeqsolve(
                term,
                diffrax.Tsit5(),
                start,
                end,
                None,
                y,
                p,
                saveat=save,
                stepsize_controller=controller,
                max_steps=100_000,
            ).ys

        def person(p: Any, y: Any, rtol: Any) -> Any:
            head = stretch(0.0, FIRST, y, p, jnp.arange(1.0, FIRST + 1), rtol)

            def day(y: Any, start: Any) -> Any:
                found = stretch(start, start + 24.0, y.at[0].add(DOSE), p, start + offsets, rtol)
                return found[-1], found[:, places]

            last, rest = jax.lax.scan(day, head[-1], jnp.asarray(DOSE_TIMES[:-1]))
            tail = stretch(
                DOSE_TIMES[-1], TIMES[-1], last.at[0].add(DOSE), p, jnp.arange(DOSE_TIMES[-1] + 1, TIMES[-1] + 1), rtol
            )
            return jnp.concatenate([y[None, places], head[:, places], rest.reshape(-1, len(OUTPUTS)), tail[:, places]])

        FIRST = float(DOSE_TIMES[0])
        self.run = jax.jit(jax.vmap(person, in_axes=(0, 0, None)))

    def solve(self, problem: Problem, rtol: float) -> np.ndarray:
        return np.asarray(self.run(problem.parameters, problem.initial, rtol))


class Heyoka:
    """Taylor series in batches of as many people as a vector holds; a new integrator for each tolerance."""

    start_tolerance = 1e-6

    def __init__(self, problem: Problem) -> None:
        import heyoka

        self.heyoka, self.made = heyoka, {}
        self.size = heyoka.recommended_simd_size()
        self.states, self.parameters = len(problem.system.states), len(problem.system.parameters)
        self.places = problem.places()
        scope: dict[str, Any] = {"cos": heyoka.cos}
        exec(python_function(problem), scope)  # noqa: S102 - from this package's own expression trees
        y = heyoka.make_vars(*(f"y{i}" for i in range(self.states)))
        p = [heyoka.par[i] for i in range(len(problem.system.parameters))]
        self.equations = list(zip(y, scope["rhs"](heyoka.time, y, p), strict=True))

    def integrator(self, tolerance: float) -> Any:
        if tolerance not in self.made:
            zero = np.zeros((self.states, self.size))
            pars = np.ones((self.parameters, self.size))
            self.made[tolerance] = self.heyoka.taylor_adaptive_batch(
                self.equations, zero, pars=pars, tol=tolerance, compact_mode=False
            )
        return self.made[tolerance]

    def solve(self, problem: Problem, rtol: float) -> np.ndarray:
        ta = self.integrator(rtol)
        people = len(problem.parameters)
        values = np.empty((people, len(TIMES), len(OUTPUTS)))
        grids = [
            np.repeat(np.concatenate([[start], times])[:, None], self.size, axis=1) for start, _, times in STRETCHES
        ]
        for first in range(0, people, self.size):
            who = np.minimum(np.arange(first, first + self.size), people - 1)
            ta.set_time(0.0)
            ta.pars[:] = problem.parameters[who].T
            ta.state[:] = problem.initial[who].T
            values[who, 0], done = problem.initial[who][:, self.places], 1
            for grid in grids:
                found = ta.propagate_grid(grid)
                found = found[-1] if isinstance(found, tuple) else found
                count = len(grid) - 1
                values[who, done : done + count] = found[1:, self.places].transpose(2, 0, 1)
                done += count
                ta.state[0] += DOSE
        return values


TOOLS = {
    "ldnsim": (Ours, "llvmlite"),
    "scipy": (Scipy, "scipy"),
    "libroadrunner": (LibRoadRunner, "roadrunner"),
    "COPASI": (Copasi, "basico"),
    "pydiffsol, tsit45": (Pydiffsol, "pydiffsol"),
    "pydiffsol, bdf": (PydiffsolBdf, "pydiffsol"),
    "diffrax": (Diffrax, "diffrax"),
    "heyoka": (Heyoka, "heyoka"),
}
