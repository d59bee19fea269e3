"""What a field asks of its caller: said by directives, and checked before the resolver.

One declaration does both, so that the schema cannot promise what nobody enforces. A test walks the
schema and finds every root field without one (tests/unit/schema/test_guard.py).

Who may see which rollouts is no question for a field: what is not seen is not in `Context.fleet`.
"""

from collections.abc import Awaitable, Callable, Mapping
from inspect import isawaitable
from typing import Any, TypeAlias

from strawberry.extensions import FieldExtension
from strawberry.types import Info as AnyInfo
from strawberry.types.field import StrawberryField

from rollgraph.core.audit import Deed
from rollgraph.core.decision import Decision
from rollgraph.core.errors import BadRequestError, NotAllowedError
from rollgraph.core.refs import RolloutRef
from rollgraph.core.verbs import SCOPES, Scope, Verb
from rollgraph.schema.context import Context, Info
from rollgraph.schema.directives import Authenticated, Rbac, RequiresScopes

# The rollout that a mutation's `input` means; raises `BadRequestError` if it means none.
Target: TypeAlias = Callable[[Any], RolloutRef]
Problem: TypeAlias = NotAllowedError | BadRequestError
# Makes what a refused mutation answers, of its `input`; it may be a coroutine's function.
Refused: TypeAlias = Callable[[Info, Any, Problem], Any]


class Guard(FieldExtension):
    """Lets a field be resolved only for who may ask for it.

    Args:
        verb: What the caller must have the right to do. On a field without a target it is for the
            record: such a field shows what the caller has the right to see.
        scope: What the caller's token must be good for; by default what the verb needs.
        object: The kind of what the right is about.
        target: Finds the rollout of a mutation. With it the caller must have the right to act on
            that very rollout.
        refused: Makes the answer of a mutation that is refused, of a `NotAllowedError`, or of the
            target's `BadRequestError`. Without it they are raised, and as most fields of a mutation
            are not nullable, the answers of the mutations before it would be lost with it.
        admin: Whether only who may see what concerns everybody may ask.
        deed: What the audit calls it when somebody may not, if it is no verb's business.
    """

    def __init__(
        self,
        *,
        verb: Verb | None = None,
        scope: Scope | None = None,
        object: str = "rollout",
        target: Target | None = None,
        refused: Refused | None = None,
        admin: bool = False,
        deed: Deed | None = None,
    ) -> None:
        if target is not None and verb is None:
            raise TypeError("a guard with a target needs the verb for it")
        self.verb = verb
        self.scope = scope or (SCOPES[verb] if verb else None)
        self.object = object
        self._target = target
        self._refused = refused
        self._admin = admin
        self._action = deed or verb or Verb.GET

    def __call__(self, field: StrawberryField) -> Any:
        """Puts the guard before a field, and says so in the schema."""
        watch(field, self)
        field.directives = [*field.directives, *self.directives]
        if self.scope is not None:
            field.description = f"{field.description}\n\n{_NEEDS.format(self.scope.value)}"
        return field

    @property
    def directives(self) -> list[Any]:
        """The guard as directives."""
        said: list[Any] = [Authenticated()]
        if self.scope is not None:
            said.append(RequiresScopes(scopes=[[self.scope.value]]))
        if self.verb is not None:
            said.append(Rbac(action=self.verb.value, object=self.object))
        return said

    def resolve(
        self, next_: Callable[..., Any], source: Any, info: AnyInfo, **arguments: Any
    ) -> Any:
        """Asks before a resolver that answers at once."""
        problem = self._problem(info.context, arguments)
        return (
            self._refuse(info, arguments, problem) if problem else next_(source, info, **arguments)
        )

    async def resolve_async(
        self, next_: Callable[..., Awaitable[Any]], source: Any, info: AnyInfo, **arguments: Any
    ) -> Any:
        """Asks before a resolver that takes its time."""
        problem = self._problem(info.context, arguments)
        if problem is None:
            return await next_(source, info, **arguments)
        answer = self._refuse(info, arguments, problem)
        return await answer if isawaitable(answer) else answer

    def _problem(self, context: Context, arguments: Mapping[str, Any]) -> Problem | None:
        """What stands in the way. Raises `UnauthenticatedViewerError` if that is the login."""
        context.check_login()
        action = self._action.value
        try:
            if self.scope is not None:
                context.demand(self.scope, action)
            if self._admin:
                _check(context.rights.is_admin(), action)
            if self._target is not None and self.verb is not None:
                _check(context.may(self.verb, self._target(arguments["input"])), action)
        except (NotAllowedError, BadRequestError) as error:
            return error
        return None

    def _refuse(self, info: AnyInfo, arguments: Mapping[str, Any], problem: Problem) -> Any:
        if self._refused is None:
            if isinstance(problem, NotAllowedError):
                ref = None if self._target is None else self._target(arguments["input"])
                info.context.tell_refusal(self._action.value, problem.decision, ref)
            raise problem
        return self._refused(info, arguments["input"], problem)


def _check(decision: Decision, action: str) -> None:
    if not decision.allowed:
        raise NotAllowedError(decision, action)


# As a decorator it reads like `resolved`, above which it stands: `@guarded(verb=Verb.GET)`.
guarded = Guard


def watch(field: StrawberryField, guard: Guard) -> None:
    """Puts a guard before a field of strawberry's own, without a word in the schema."""
    field.extensions = [*field.extensions, guard]


def guard_of(field: StrawberryField) -> Guard | None:
    """The guard before a field."""
    return next((each for each in field.extensions if isinstance(each, Guard)), None)


# Introspection does not tell which directives are applied, and most people look there.
_NEEDS = "A token that was narrowed needs `{}`."
